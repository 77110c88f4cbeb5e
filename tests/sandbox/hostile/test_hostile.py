"""Every payload against the sandbox; those that can be let loose without one prove that the test would see them."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_llmbench.errors import AnswerFault
from pytest_llmbench.sandbox.api import Exit, Job, Process, Sandbox
from pytest_llmbench.sandbox.process import CagedProcess
from tests.sandbox.hostile.bait import Bait, bait
from tests.sandbox.hostile.payload import Payload, payloads

CATEGORIES = {"read", "write", "network", "resources", "outlive", "privilege", "collector"}
PAYLOADS = payloads()
LET_LOOSE = [payload for payload in PAYLOADS if payload.head.get("none") == "reached"]
PATIENCE_S = 60.0

ATTACK = Path(__file__).with_name("attack.py").read_bytes()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Bait]:
    with bait(tmp_path) as laid:
        yield laid


def job_of(payload: Payload, host: Bait) -> Job:
    return Job(
        ["{python}", "payload.py", json.dumps(host.facts)],
        files={"payload.py": payload.code},
        trusted={"attack.py": ATTACK},
        env={"PYTHONPATH": "{trusted}"},
        limits=payload.limits,
    )


def hear(process: Process) -> list[str]:
    """Return what the payload says until it is done or gone."""
    said: list[str] = []
    while (line := process.receive_line(PATIENCE_S)) is not None:
        said.append(line.decode())
        if said[-1] == "done":
            break
    return said


def test_all_categories_are_attacked_often_enough() -> None:
    assert {payload.name.split("/")[0] for payload in PAYLOADS} == CATEGORIES
    assert len(PAYLOADS) >= 40
    assert len(LET_LOOSE) >= 12


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.name)
def test_attack_fails(payload: Payload, bubblewrap: Sandbox, host: Bait) -> None:
    with bubblewrap.start(job_of(payload, host)) as process:
        assert isinstance(process, CagedProcess)
        namespace = Path(f"/proc/{process._cage.init_pid}/ns/pid").readlink()
        said = hear(process)
        end = None if "stays" in payload.head else process.wait(PATIENCE_S)
        output = b"".join(process.output())

        assert [line for line in said if line.startswith("reached")] == []
        check_end(payload, said, end, output)
        check_collector(payload, process, host)
        if end is not None and end.limit is None:
            assert process.collect("payload.py") == payload.code, "the first program must outlive the candidate"
        assert len(output) <= payload.limits.output_bytes
    assert host.secret.encode() not in output
    assert host.harm() == []
    assert inhabitants(namespace) == []


@pytest.mark.parametrize("payload", LET_LOOSE, ids=lambda payload: payload.name)
def test_attack_would_be_seen(payload: Payload, unsandboxed: Sandbox, host: Bait) -> None:
    with unsandboxed.start(job_of(payload, host)) as process:
        said = hear(process)
        process.wait(PATIENCE_S)
    assert [line for line in said if line.startswith("reached")] or host.harm()


def check_end(payload: Payload, said: list[str], end: Exit | None, output: bytes) -> None:
    if payload.inside.startswith("limit "):
        assert end is not None
        assert (end.status, end.limit) == (None, payload.inside.removeprefix("limit ")), output.decode()[-2000:]
        return
    if payload.inside.startswith("count at most "):
        (count,) = (int(line.split()[1]) for line in said if line.startswith("count"))
        assert 0 < count <= int(payload.inside.removeprefix("count at most "))
    killed = re.fullmatch(r"done or killed by signal (\d+)", payload.inside)
    if killed and end is not None and end.signal == int(killed[1]):
        return
    if payload.name == "outlive/kill_all":  # it is no exception to its own rule
        assert end is not None
        assert end.signal in (None, signal.SIGKILL)
        return
    assert said[-1:] == ["done"], output.decode()[-2000:]


def check_collector(payload: Payload, process: Process, host: Bait) -> None:
    wanted = payload.head.get("collect")
    if wanted:
        _COLLECTED[wanted](process, payload.head.get("path", "out.txt"), host)


def _refused(process: Process, path: str, _host: Bait) -> None:
    began_s = time.monotonic()
    with pytest.raises(AnswerFault, match="cannot be collected"):
        process.collect(path)
    assert time.monotonic() - began_s < PATIENCE_S, "it must not wait for the candidate"


def _nothing(process: Process, path: str, _host: Bait) -> None:
    assert process.collect(path) is None
    assert process.collect("") is None
    for way in ("../etc/passwd", "/etc/passwd", "sub/../../etc/passwd", "out\0.txt", "sub", "."):
        with pytest.raises(AnswerFault, match="cannot be collected"):
            assert process.collect(way) is not None


def _never_secret(process: Process, path: str, host: Bait) -> None:
    seen: set[bytes | str | None] = set()
    end_s = time.monotonic() + PATIENCE_S
    tries = 0
    while tries < 2000 or (not {b"harmless", "refused"} <= seen and time.monotonic() < end_s):
        tries += 1
        try:
            seen.add(process.collect(path))
        except AnswerFault:
            seen.add("refused")
    assert seen <= {b"harmless", b"", None, "refused"}
    assert {b"harmless", "refused"} <= seen, "both sides of the race must have been met"
    assert host.secret.encode() not in seen


_COLLECTED: dict[str, Callable[[Process, str, Bait], None]] = {
    "refused": _refused,
    "nothing": _nothing,
    "never secret": _never_secret,
}


def inhabitants(namespace: Path) -> list[str]:
    """Return the processes that are still in a pid namespace."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "ns/pid").readlink() == namespace:
                found.append(folder.name)
        except OSError:
            continue
    return found
