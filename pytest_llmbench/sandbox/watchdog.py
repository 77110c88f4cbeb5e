"""Measures a job from outside: memory, CPU time, open files, inodes.

Reading is cheap-first: the resident sizes bound the proportional ones from above, so the dear `smaps_rollup` is read
only when their sum passes the limit.
"""

# Descriptors, links and process entries are what this is about; pathlib hides them and is slow to import.
# ruff: noqa: PTH116, PTH208

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_llmbench.sandbox.api import Limits, Task

PERIOD_S = 0.05
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
INODES_PER_VOLUME = 16384
OPEN_FILES_FACTOR = 8
"""The sum over all processes may be this many times the limit of one: a socket's buffers are memory that no process
shows."""


class Population(Protocol):
    """The candidate's processes, and the /proc in which their numbers hold."""

    @property
    def proc_fd(self) -> int:
        """Descriptor of the /proc folder."""

    def pids(self) -> Iterable[int]:
        """Return the process ids, valid below `proc_fd`."""


@dataclass(frozen=True, slots=True)
class NamespacePopulation:
    """Everything in a pid namespace but its first process, by the namespace's own /proc."""

    proc_fd: int

    def pids(self) -> Iterable[int]:
        """Return the process ids inside the namespace."""
        return (int(name) for name in os.listdir(self.proc_fd) if name.isdigit() and name != "1")


@dataclass(frozen=True, slots=True)
class TreePopulation:
    """The descendants of a process, by the host's /proc."""

    proc_fd: int
    root_pid: int

    def pids(self) -> Iterable[int]:
        """Return the process ids of all descendants."""
        return descendants(self.root_pid)


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that was passed."""

    limit: str
    measured: str


def find_breach(population: Population, volume_fds: Sequence[int], limits: Limits) -> Breach | None:
    """Measure once; return the first limit found passed."""
    pids = list(population.pids())
    resident = cpu_s = 0.0
    open_files = 0
    alive = [_alive(population.proc_fd, pid) for pid in pids]
    for pid, place in zip(pids, alive, strict=True):
        resident += _resident_bytes(population.proc_fd, place)
        cpu_s += _cpu_s(population.proc_fd, pid)
        open_files += _open_files(population.proc_fd, place)
    if resident > limits.memory_bytes:
        proportional = sum(_proportional_bytes(population.proc_fd, place) for place in alive)
        if proportional > limits.memory_bytes:
            return Breach("memory", f"{proportional} bytes")
    if cpu_s > limits.cpu_s:
        return Breach("cpu", f"{cpu_s:.2f} s")
    if open_files > limits.open_files * OPEN_FILES_FACTOR:
        return Breach("open_files", f"{open_files} in all processes together")
    for fd in volume_fds:
        volume = os.fstatvfs(fd)
        inodes = volume.f_files - volume.f_ffree
        if inodes > INODES_PER_VOLUME:
            return Breach("inodes", f"{inodes} files")
    return None


def _read(proc_fd: int, path: str) -> bytes:
    """Return the content, or nothing where the process is gone or of no concern to us."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc_fd)
    except OSError:
        return b""
    try:
        return os.read(fd, 8192)
    except OSError:
        return b""
    finally:
        os.close(fd)


def _alive(proc_fd: int, pid: int) -> str:
    """Return where the process shows its memory: a first thread that has ended shows none, the others still do."""
    if _resident_bytes(proc_fd, str(pid)):
        return str(pid)
    try:
        fd = os.open(f"{pid}/task", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=proc_fd)
    except OSError:
        return str(pid)
    try:
        places = [f"{pid}/task/{tid}" for tid in os.listdir(fd)]
    except OSError:
        return str(pid)
    finally:
        os.close(fd)
    return next((place for place in places if _resident_bytes(proc_fd, place)), str(pid))


def _resident_bytes(proc_fd: int, place: str) -> int:
    fields = _read(proc_fd, f"{place}/statm").split()
    return int(fields[1]) * PAGE_BYTES if fields else 0


def _proportional_bytes(proc_fd: int, place: str) -> int:
    for line in _read(proc_fd, f"{place}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return _resident_bytes(proc_fd, place)  # unreadable is no way out


def _cpu_s(proc_fd: int, pid: int) -> float:
    fields = _read(proc_fd, f"{pid}/stat").rpartition(b")")[2].split()
    # utime, stime and those of waited-for children: columns 14 to 17, of which two stand before the name's end
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS_PER_S


def _open_files(proc_fd: int, place: str) -> int:
    try:
        status = os.stat(f"{place}/fd", dir_fd=proc_fd)
        if status.st_size:
            return status.st_size  # Linux 6.2 and newer count here
        fd = os.open(f"{place}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=proc_fd)
    except OSError:
        return 0
    try:
        return len(os.listdir(fd))
    except OSError:
        return 0
    finally:
        os.close(fd)


def descendants(root_pid: int, proc: Path = Path("/proc")) -> list[int]:
    """Return the process ids below `root_pid`, without it, as the given /proc shows them."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir(proc):
        if entry.isdigit():
            try:
                fields = (proc / entry / "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue  # it went meanwhile
            children.setdefault(int(fields[1]), []).append(int(entry))
    found: list[int] = []
    waiting = [root_pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def tasks_below(root_pid: int, proc: Path = Path("/proc")) -> tuple[Task, ...]:
    """Return all threads of the processes below `root_pid`."""
    tasks: list[Task] = []
    for pid in descendants(root_pid, proc):
        try:
            tids = sorted(int(tid) for tid in os.listdir(proc / str(pid) / "task"))
        except OSError:
            continue
        for tid in tids:
            try:
                comm = (proc / str(pid) / "task" / str(tid) / "comm").read_bytes()
            except OSError:
                continue
            tasks.append(Task(pid, tid, comm.rstrip(b"\n").decode("utf-8", "backslashreplace")))
    return tuple(tasks)


def all_pids() -> list[str]:
    """Return the names of all processes in /proc."""
    return [name for name in os.listdir("/proc") if name.isdigit()]


def users() -> set[int]:
    """Return the user ids that processes run as."""
    found = set()
    for pid in all_pids():
        with suppress(OSError):  # it went meanwhile
            found.add(os.stat(f"/proc/{pid}").st_uid)
    return found


def count_tasks(uid: int) -> int:
    """Return how many threads a user has."""
    count = 0
    for pid in all_pids():
        try:
            if os.stat(f"/proc/{pid}").st_uid == uid:
                count += len(os.listdir(f"/proc/{pid}/task"))
        except OSError:
            continue
    return count


def kernel_version() -> tuple[int, int]:
    """Return major and minor number of the running kernel."""
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int(minor.split("-")[0])
