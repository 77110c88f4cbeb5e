"""What the kernel says of the processes below us, and of their memory. Standard library only, for the keeper."""

# Process entries are what this is about; pathlib hides them and is slow to import.
# ruff: noqa: PTH123, PTH208

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

GROWTH = 1.02
"""The dear figure is read when the cheap one has grown so much since; also what is worth telling."""


class Process(NamedTuple):
    """What the kernel says of one."""

    parent: int
    session: int
    started: int
    """In its own units; tells it from another one of that number."""


def processes() -> dict[int, Process]:
    """Return all processes by number."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as stat:  # it may be gone
                # From the third field on, as the second, a name, may hold anything.
                fields = stat.read().rpartition(b")")[2].split()
                found[int(name)] = Process(int(fields[1]), int(fields[3]), int(fields[19]))
    return found


def children() -> list[int]:
    """Return our children. Their numbers are theirs until we wait for them, so a signal never reaches a stranger."""
    ours = os.getpid()
    return [pid for pid, process in processes().items() if process.parent == ours]


def descendants() -> dict[int, Process]:
    """Return all below us."""
    every = processes()
    found: dict[int, Process] = {}
    below = {os.getpid()}
    while below:
        below = {pid for pid, process in every.items() if process.parent in below}
        found |= {pid: every[pid] for pid in below}
    return found


class Peak:
    """Most memory that all descendants together held."""

    def __init__(self) -> None:
        self.bytes = 0
        self._resident = 0.0

    def has_grown(self, below: Iterable[int]) -> bool:
        """Look once more, at the processes of these numbers, and return whether there is more to tell.

        Resident sizes count shared pages once for each process. Where they have grown, the proportional ones are read,
        which takes the kernel a walk over all pages. What a single process held at most, the kernel remembers.
        """
        found = list(below)
        statuses = [_fields(pid, "status") for pid in found]
        resident = sum(status.get("VmRSS", 0) for status in statuses)
        held = max((status.get("VmHWM", 0) for status in statuses), default=0)
        if resident > self._resident * GROWTH:
            self._resident = resident
            held = max(held, sum(map(_proportional, found, statuses)))
        if held <= self.bytes * GROWTH:
            return False
        self.bytes = held
        return True


def _proportional(pid: int, status: dict[str, int]) -> int:
    return _fields(pid, "smaps_rollup").get("Pss") or status.get("VmRSS", 0)


def _fields(pid: int, file: str) -> dict[str, int]:
    """Return the sizes in a file of /proc, in bytes; none if the process is gone."""
    try:
        with open(f"/proc/{pid}/{file}", "rb") as lines:
            words = [line.split() for line in lines]
    except OSError:
        return {}
    return {line[0].rstrip(b":").decode(): int(line[1]) * 1024 for line in words if line[2:] == [b"kB"]}
