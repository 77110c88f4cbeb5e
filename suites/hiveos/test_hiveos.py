"""Custom miner package for HiveOS: does the script make it, and does a rig get along with it?"""

from __future__ import annotations

import posixpath
import re

import pytest

from pytest_llmbench import Observe

from . import judge
from .figures import find_mismatch, is_zero, read_json
from .flight import POOL_OPTIONS, api_port_of, contains_in_order, values_of
from .package import DEADLINE_S, WANTED


@pytest.mark.shell
def test_heredocs(observe: Observe) -> None:
    """Two runs in a terminal full of variables give the same four files, with nothing of the terminal in them."""
    seen = observe(judge.rebuilt)
    for which, made in zip(("first", "second"), seen.made, strict=True):
        status, missing = made.status, made.missing
        assert status == 0, f"the {which} run of make_package.sh ended with status {status}"
        assert not missing, f"the {which} run of make_package.sh did not leave {', '.join(missing)}"
    first, second = seen.made
    for name in WANTED:
        content = first.contents[name]
        same = content == second.contents[name]
        assert same, f"{name} was another one after the second run of make_package.sh"
        held = next((variable for variable, word in seen.terminal.items() if word.encode() in content), None)
        assert held is None, f"{name} holds what {held} was in the terminal when the package was made"
    kept = second.miner_kept
    assert kept, "the miner that lay in the package was gone after the second run of make_package.sh"
    fault = seen.start.fault
    assert fault is None, fault


@pytest.mark.shell
def test_directory(observe: Observe) -> None:
    """The folder holds the four files, and the scripts can be executed."""
    seen = observe(judge.first_day)
    for name, file in seen.made.wanted.items():
        kind, mode = ("nothing", 0) if file is None else (file.kind, file.mode)
        assert kind == "-", f"ethminer/{name} is {kind!r} to ls, wanted a plain file"
        assert mode & 0o111 or not name.endswith(".sh"), f"ethminer/{name} cannot be executed, its mode is {mode:04o}"
    fault = seen.start.fault
    assert fault is None, fault


@pytest.mark.shell
def test_manifest(observe: Observe) -> None:
    """The manifest says what the package is called, and where its configuration and its log are."""
    seen = observe(judge.first_day)
    said = seen.variables
    assert said is not None, "bash did not survive h-manifest.conf"
    name, version = said["CUSTOM_NAME"], said["CUSTOM_VERSION"]
    assert name == "ethminer", f"CUSTOM_NAME is {name!r:.100}, wanted 'ethminer'"
    assert re.fullmatch(r"[A-Za-z0-9._+-]+", version), f"CUSTOM_VERSION is {version!r:.100}"
    installed, _, installed_version = f"{name}-{version}".rpartition("-")
    assert installed == name, (
        f"of {name}-{version}.tar.gz the installer makes the package {installed!r:.100}, version {installed_version!r:.100}"
    )
    config, folder = said["CUSTOM_CONFIG_FILENAME"], f"{seen.miner_dir}/ethminer/"
    inside = posixpath.normpath(config).startswith(folder)
    assert inside, f"CUSTOM_CONFIG_FILENAME is {config!r:.200}, which is no full path in {folder}"
    log = said["CUSTOM_LOG_BASENAME"]
    in_tmp = posixpath.normpath(log).startswith("/tmp/") and not log.endswith("/")  # noqa: S108 - the rig's
    assert in_tmp, f"CUSTOM_LOG_BASENAME is {log!r:.200}, which is no full path of a file in /tmp"
    assert not log.endswith(".log"), (
        f"CUSTOM_LOG_BASENAME is {log!r:.200}, of which HiveOS makes one that ends in .log.log"
    )
    port = said["CUSTOM_API_PORT"]
    assert port == "3334", f"CUSTOM_API_PORT is {port!r:.100}, wanted 3334"
    fault = seen.start.fault
    assert fault is None, fault


@pytest.mark.shell
def test_custom_variables(observe: Observe) -> None:
    """Pool, wallet, password and extra arguments of the flight sheet get to the miner, and nothing else."""
    seen = observe(judge.first_day)
    for start in (seen.start, seen.bare_start):
        fault, argv, flight = start.fault, start.argv, start.flight
        assert fault is None, fault
        pools = values_of(argv, POOL_OPTIONS)
        assert pools == (flight.pool,), (
            f"the miner was started with the pool {' and '.join(pools)!r:.300}, wanted {flight.pool!r}"
        )
        complete = contains_in_order(argv, flight.extras)
        assert complete, f"the extra arguments were {flight.extras}; the miner got {argv!r:.400}"
        empty = "" in argv
        assert not empty, f"the miner got an empty argument: {argv!r:.400}"
        strange = next((name for name, word in seen.other_miners.items() if any(word in got for got in argv)), None)
        assert strange is None, f"what {strange} is, another miner's, got into the command line"


@pytest.mark.shell
def test_h_config(observe: Observe) -> None:
    """A new flight sheet replaces the old one, and the agent's shell is not touched."""
    seen = observe(judge.reconfigured)
    for step, which in zip(seen.steps, ("with a flight sheet", "without one", "with a new one"), strict=False):
        ended, late, moved = step.ended, step.late, step.moved
        assert ended is None, f"h-config.sh, {which}, ended the agent's shell with status {ended}"
        assert not late, f"h-config.sh, {which}, took longer than {DEADLINE_S:g} s"
        assert not moved, f"h-config.sh, {which}, changed the agent's working directory"
        before, after = step.options
        assert before == after, f"h-config.sh, {which}, changed the agent's shell options from {before} to {after:.200}"
    old, _, new = seen.steps
    texts = old.text, new.text
    assert all(texts), "h-config.sh wrote nothing into the file CUSTOM_CONFIG_FILENAME"
    stale = next((word for word in old.flight.own_words if word in str(new.text)), None)
    assert stale is None, f"after a new flight sheet the configuration file still holds {stale} of the old one"
    start = seen.start
    fault = "the miner was not started" if start is None else start.fault
    argv = () if start is None else start.argv
    assert fault is None, fault
    used = next((word for word in old.flight.own_words if any(word in got for got in argv)), None)
    used = used or next((word for word in old.flight.own_extras if word in argv), None)
    assert used is None, f"after a new flight sheet the miner was still started with {used} of the old one"


@pytest.mark.shell
@pytest.mark.robustness
def test_h_run_exec(observe: Observe) -> None:
    """The miner takes the place of h-run.sh: same process, its exit status, the rig's cards."""
    seen = observe(judge.first_day)
    fault, miners, run_pid = seen.start.fault, seen.start.miners, seen.start.pid
    assert fault is None, fault
    assert len(miners) == 1, f"{len(miners)} miners were running"
    ((pid, _, cards),) = miners
    assert pid == run_pid, f"h-run.sh was started as process {run_pid}, but the miner is process {pid}"
    assert cards == seen.cards, f"CUDA_VISIBLE_DEVICES of the rig was {seen.cards}, of the miner {cards or ''!r:.100}"
    left, status, miner_status = seen.miners_left, seen.stop_status, seen.miner_status
    assert left == 0, "after SIGTERM to the process that was started as h-run.sh the miner was still running"
    assert status == miner_status, f"after SIGTERM the miner ended with status {miner_status}, but the rig saw {status}"


@pytest.mark.shell
@pytest.mark.protocol
@pytest.mark.robustness
def test_h_stats(observe: Observe) -> None:
    """The agent's two variables say what the miner says, and the agent outlives a miner that says nothing."""
    seen = observe(judge.watched)
    fault = seen.start.fault
    assert fault is None, fault
    for look in seen.looks:
        when, ended, through = f"h-stats.sh, {look.situation},", look.ended, look.through
        assert ended is None, f"{when} ended the agent's shell with status {ended}"
        assert through, f"{when} was not through within {judge.STATS_S:g} s"
        khs, stats = look.khs, look.stats
        if look.figures is not None:
            mismatch = find_mismatch(look.figures, khs, stats)
            assert mismatch is None, f"{when} was wrong: {mismatch}"
            continue
        zero = is_zero(khs)
        assert zero, f"{when} left khs {'unset' if khs is None else repr(khs)[:100]}, wanted 0"
        valid = stats is not None and read_json(stats) is not ...
        assert valid, f"{when} left stats {'unset' if stats is None else repr(stats)[:200]}, wanted null or other JSON"


@pytest.mark.shell
@pytest.mark.protocol
def test_api_port(observe: Observe) -> None:
    """After a change of the port in the manifest the miner serves it, read-only, and h-stats.sh asks there."""
    seen = observe(judge.port_changed)
    fault, argv = seen.start.fault, seen.start.argv
    wanted = seen.port
    assert wanted is not None, "h-manifest.conf has no line that begins with CUSTOM_API_PORT="
    assert fault is None, fault
    port = api_port_of(argv)
    assert port is not None, f"the miner was started without a read-only API: {' '.join(argv)!r:.400}"
    assert port == wanted, f"CUSTOM_API_PORT was {wanted}, but the miner was started with {port}"
    asked = seen.asked
    assert asked > 0, f"h-stats.sh did not ask for the miner's figures on port {port}"
