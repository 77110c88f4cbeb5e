"""Nothing of a server is left when we end first, or somebody ends its keeper."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from pytest_llmbench.provision.process import ServerProcess
from tests.provision.conftest import LATE_S, SOON_S, STUBBORN, Start, keeper_of, wait_until_ended, words
from tests.provision.line import PATIENCE_S, Line

REPOSITORY = Path(__file__).parents[2]


# We end first


@pytest.fixture
def parent(line: Line, tmp_path: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    """Start a process that stands for pytest; it and all that it starts keep their temporary files in `tmp_path/tmp`."""
    started: list[subprocess.Popen[str]] = []
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    def start(*habits: str, stop_s: float = SOON_S, forks: bool = False) -> tuple[subprocess.Popen[str], int]:
        own = [str(tmp_path / "log"), str(stop_s), "fork" if forks else "-"]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.provision.parent", *own, *words(line, *habits)],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        line.wait_for("ready")
        _, sibling = map(int, process.stdout.readline().split())
        return process, sibling

    yield start
    for process in started:
        process.kill()
        process.communicate()
    assert [*temporary.iterdir()] == []


StartParent = Callable[..., tuple[subprocess.Popen[str], int]]


@pytest.mark.parametrize("habits", [(), STUBBORN], ids=["willing", "stubborn"])
def test_kill_9_of_pytest_leaves_nothing(parent: StartParent, line: Line, habits: tuple[str, ...]) -> None:
    process, _ = parent(*habits)
    process.kill()
    assert line.is_over


def test_kill_9_is_seen_although_a_forked_child_holds_our_pipes(parent: StartParent, line: Line) -> None:
    process, sibling = parent(forks=True)
    try:
        process.kill()
        assert line.is_over
        assert psutil.pid_exists(sibling)
    finally:
        os.kill(sibling, signal.SIGKILL)


def test_ctrl_c_ends_the_server_by_our_own_stop(parent: StartParent, line: Line) -> None:
    process, _ = parent()
    os.killpg(process.pid, signal.SIGINT)
    process.wait(PATIENCE_S)
    assert line.is_over_now


def test_a_second_ctrl_c_in_the_middle_of_stop_leaves_nothing(parent: StartParent, line: Line) -> None:
    process, _ = parent(*STUBBORN, stop_s=2.0)
    os.killpg(process.pid, signal.SIGINT)
    line.wait_for("term")
    os.killpg(process.pid, signal.SIGINT)
    process.wait(PATIENCE_S)
    assert line.is_over


def test_a_hangup_of_the_terminal_leaves_nothing(parent: StartParent, line: Line) -> None:
    process, _ = parent()
    os.killpg(process.pid, signal.SIGHUP)
    assert line.is_over


def test_ctrl_c_in_the_middle_of_the_start_leaves_nothing(
    start: Start, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(process: ServerProcess) -> int:
        del process
        line.wait_for("ready")
        raise KeyboardInterrupt

    monkeypatch.setattr(ServerProcess, "_started", interrupted)
    with pytest.raises(KeyboardInterrupt):
        start(words(line, *STUBBORN))
    assert line.is_over_now


# The keeper


def test_the_keeper_heeds_no_signals_of_a_terminal(grow: Start, line: Line) -> None:
    process = grow("ignore-sigterm")
    keeper = keeper_of(process)
    for signum in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        keeper.send_signal(signum)
    process.stop(SOON_S)
    line.wait_for("term")  # so it was asked first: a keeper that had died would have taken it along at once
    assert process.ended == "SIGKILL"


def test_a_keeper_that_is_asked_to_end_ends_the_server_first(grow: Start, line: Line) -> None:
    process = grow("worker", "daemon")
    keeper_of(process).terminate()
    assert line.is_over
    assert process.ended == "SIGTERM"


def test_kill_9_of_the_keeper_takes_the_server_along_and_stop_the_rest(grow: Start, line: Line) -> None:
    process = grow("worker", "daemon", "daemon")
    server = psutil.Process(process.pid)
    wait_for_strays(process, 2)
    keeper_of(process).kill()
    assert psutil.wait_procs([server], PATIENCE_S)[0] == [server]
    assert not line.is_over_now
    assert wait_until_ended(process) == "its keeper was killed"
    process.stop(LATE_S)
    assert line.is_over


def wait_for_strays(process: ServerProcess, count: int) -> None:
    """Wait until the keeper has told of so many processes that have left the server's session."""
    deadline_s = time.monotonic() + PATIENCE_S
    while len(process._said.get("strays", ())) < count:
        assert process.ended is None  # hears what the keeper says
        assert time.monotonic() < deadline_s, process._said
        time.sleep(0.02)
