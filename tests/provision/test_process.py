"""A server's process: stopped, ended by itself, what it gets, and what it takes."""

from __future__ import annotations

import errno
import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_llmbench.provision.process import ServerProcess
from tests.provision.conftest import LATE_S, SOON_S, STUBBORN, Start, keeper_of, wait_until_ended
from tests.provision.line import PATIENCE_S, Line
from tests.provision.tree import MIB

# Stopped by us


def test_a_server_that_takes_sigterm_is_not_killed(grow: Start, line: Line) -> None:
    process = grow()
    assert process.ended is None
    process.stop(LATE_S)
    assert process.ended == "SIGTERM"
    assert line.is_over_now


def test_stop_returns_when_nothing_is_left_of_one_that_does_not(grow: Start, line: Line) -> None:
    process = grow(*STUBBORN)
    keeper = keeper_of(process)
    assert process.stop(SOON_S) is None
    assert line.is_over_now
    assert b"term\n" in line.said
    assert process.ended == "SIGKILL"
    assert not keeper.is_running()


def test_daemons_do_not_keep_a_willing_server_from_ending(grow: Start, line: Line) -> None:
    process = grow("daemon", "daemon", "worker")
    process.stop(LATE_S)
    assert process.ended == "SIGTERM"
    assert line.is_over_now


def test_what_even_sigkill_does_not_end_is_named(grow: Start, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    process = grow("ignore-sigterm", "worker")
    monkeypatch.setattr("pytest_llmbench.provision.process.KILL_WITHIN_S", -LATE_S)  # as if it had been a minute
    left = process.stop(LATE_S)
    assert left is not None
    assert left.count("(pid ") == 2
    assert f"(pid {process.pid})" in left
    monkeypatch.undo()
    assert process.stop(SOON_S) is None
    assert line.is_over_now


def test_stop_may_be_called_again(grow: Start) -> None:
    process = grow()
    process.stop(LATE_S)
    assert process.stop(LATE_S) is None
    assert process.ended == "SIGTERM"


def test_a_thread_may_look_while_another_stops(grow: Start, line: Line) -> None:
    process = grow("ignore-sigterm")
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(process.stop, SOON_S)
        assert wait_until_ended(process) == "SIGKILL"
        stopping.result()
    assert line.is_over_now


# Ended by itself


def test_one_that_dies_leaves_no_workers(grow: Start, line: Line) -> None:
    process = grow("ignore-sigterm", "worker", "daemon", "die")
    assert wait_until_ended(process) == "exit status 7"
    assert line.is_over  # without a word of ours
    process.stop(LATE_S)
    assert process.ended == "exit status 7"


def test_one_that_dies_at_once_says_how(start: Start) -> None:
    assert [wait_until_ended(start(["sh", "-c", f"exit {status}"])) for status in range(10)] == [
        f"exit status {status}" for status in range(10)
    ]


@pytest.mark.parametrize(("signum", "said"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGRTMIN + 1, "signal 35")])
def test_one_that_is_killed_says_by_what(grow: Start, line: Line, signum: int, said: str) -> None:
    process = grow("worker")
    os.kill(process.pid, signum)
    assert wait_until_ended(process) == said
    assert line.is_over


# What it gets


def test_it_gets_its_own_words_only(grow: Start, line: Line, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)  # noqa: FBT003 - the library's own
        process = grow("describe", env={"NAME": "ü\udcff", "PATH": os.environ["PATH"]}, folder=str(folder))
        kept = [str(Path(f"/proc/{keeper_of(process).pid}/fd/{fd}").readlink()) for fd in (0, 1, 2)]
        others = [file.path for file in keeper_of(process).open_files()]
    facts: Any = json.loads(line.said.split(b"\n")[0])
    log = str(tmp_path / "log")
    assert sorted(set(facts["files"])) == sorted({"/dev/null", log, str(line.path)})
    assert facts["ignored"] & ~(1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)) == 0  # Python's own
    assert facts["blocked"] == 0
    assert facts["own_group"]
    assert facts["environment"].items() >= {"NAME": "ü\udcff"}.items()
    assert facts["environment"].keys() <= {"NAME", "PATH", "LC_CTYPE"}
    assert facts["folder"] == str(folder)
    assert kept[0].startswith("pipe:")
    assert kept[1].startswith("pipe:")
    assert kept[2] == log
    assert str(tmp_path / "ours") not in others


def test_what_it_and_its_children_print_is_in_the_log(start: Start, tmp_path: Path) -> None:
    script = "echo out; echo err >&2; (echo child) & wait; exit 0"
    (tmp_path / "log").write_text("of an earlier start")
    process = start(["sh", "-c", script])
    assert wait_until_ended(process) == "exit status 0"
    process.stop(LATE_S)
    assert sorted((tmp_path / "log").read_text().split()) == ["child", "err", "out"]


def test_words_and_variables_of_any_length_arrive(start: Start, tmp_path: Path) -> None:
    long = "x" * 100_000
    process = start(["sh", "-c", 'echo "$1 $V"', "sh", long], {"V": long})
    assert wait_until_ended(process) == "exit status 0"
    process.stop(LATE_S)
    assert (tmp_path / "log").read_text() == f"{long} {long}\n"


# What cannot be started


@pytest.fixture
def unfit(tmp_path: Path) -> Path:
    for name, mode in (("plain", 0o644), ("no-program", 0o755)):
        (tmp_path / name).write_text("neither ELF nor script")
        (tmp_path / name).chmod(mode)
    (tmp_path / "no-interpreter").write_text("#!/nonesuch/python\n")
    (tmp_path / "no-interpreter").chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("nonesuch", errno.ENOENT),
        ("plain", errno.EACCES),
        ("", errno.EACCES),
        ("no-program", errno.ENOEXEC),
        ("no-interpreter", errno.ENOENT),
        ("nul\0", errno.EINVAL),
    ],
)
def test_what_cannot_be_started_says_why_and_leaves_no_keeper(unfit: Path, name: str, number: int) -> None:
    before = psutil.Process().children()
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        ServerProcess([str(unfit / name)], os.environ, "", unfit / "log")
    assert caught.value.errno == number
    assert caught.value.filename == str(unfit / name)
    assert psutil.Process().children() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        ServerProcess(["true"], os.environ, str(tmp_path / "nonesuch"), tmp_path / "log")
    assert caught.value.filename == str(tmp_path / "nonesuch")


# Memory


def wait_for_peak(process: ServerProcess, at_least: int) -> int:
    deadline_s = time.monotonic() + PATIENCE_S
    while (peak := process.memory_peak_bytes) is None or peak < at_least:
        assert time.monotonic() < deadline_s, f"{peak} bytes"
        time.sleep(0.05)
    return peak


def test_memory_of_all_processes_counts_and_what_they_share_counts_once(grow: Start, line: Line) -> None:
    process = grow("eat", "eating-worker")  # the worker has its own 64 MiB, and those of its parent, shared
    line.wait_for("worker")
    peak = wait_for_peak(process, 128 * MIB)
    assert peak < 180 * MIB
    process.stop(LATE_S)
    assert process.memory_peak_bytes is not None
    assert 128 * MIB <= process.memory_peak_bytes < 180 * MIB


def test_a_peak_that_was_over_before_anybody_looked_counts(grow: Start) -> None:
    process = grow("eat-and-free")
    process.stop(LATE_S)
    assert process.memory_peak_bytes is not None
    assert 64 * MIB <= process.memory_peak_bytes < 120 * MIB


def descriptors() -> list[str]:
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one by which we look
            found.append(str(link.readlink()))
    return sorted(found)


def test_starts_and_stops_leave_no_descriptor_and_no_child(tmp_path: Path) -> None:
    before = descriptors(), psutil.Process().children()
    for _ in range(5):
        ServerProcess(["sleep", "600"], os.environ, "", tmp_path / "log").stop(LATE_S)
    assert (descriptors(), psutil.Process().children()) == before
