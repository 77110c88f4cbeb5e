"""Memory and process limits by cgroup v2, where a folder of it is ours to divide.

Everything here works on plain paths, so that it can be tried on a made-up tree.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.sandbox.api import MIB, Limits

IN_FORCE = ("cgroup-memory", "cgroup-pids")
_NEEDED = {"memory", "pids"}
_SLACK_BYTES = 32 * MIB
"""For what the kernel itself holds for the job: sockets, page tables, inodes."""
_WRITABLE_VOLUMES = 3
_REMOVE_S = 2.0


def find_delegated(own_cgroups: str, mounts: str) -> Path | None:
    """Return the nearest folder in which we may make a cgroup with memory and pids limits, or None.

    Only an ancestor's folder can be divided: a cgroup that has processes, such as our own, may not.

    Args:
        own_cgroups: text of /proc/self/cgroup.
        mounts: text of /proc/self/mountinfo.
    """
    own = next((line[3:] for line in own_cgroups.splitlines() if line.startswith("0::")), None)
    if own is None:
        return None
    for root, mount_point in _cgroup2_mounts(mounts):
        way = os.path.relpath(own, root)
        if way.startswith(".."):
            continue  # this mount shows another part of the tree
        folder = mount_point / way
        for candidate in (folder, *folder.parents):
            if not candidate.is_relative_to(mount_point):
                break
            if _divides(candidate):
                return candidate
    return None


def _cgroup2_mounts(mounts: str) -> list[tuple[str, Path]]:
    """Return root and mount point of each cgroup2 line: ID PARENT MAJOR:MINOR ROOT POINT OPTIONS … - TYPE …."""
    rows = [line.split() for line in mounts.splitlines()]
    return [(row[3], Path(row[4])) for row in rows if "-" in row and row[row.index("-") + 1] == "cgroup2"]


def _divides(folder: Path) -> bool:
    try:
        given = set((folder / "cgroup.subtree_control").read_text().split())
    except OSError:
        return False
    return given >= _NEEDED and os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK)


@dataclass(frozen=True, slots=True)
class Cgroup:
    """The cgroup of one job."""

    folder: Path

    def add(self, pid: int) -> None:
        """Move a process into it; what it starts follows."""
        (self.folder / "cgroup.procs").write_text(str(pid))

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel killed for the memory limit."""
        try:
            rows = dict(line.split() for line in (self.folder / "memory.events").read_text().splitlines())
        except (OSError, ValueError):
            return False
        return int(rows.get("oom_kill", 0)) > 0

    def remove(self) -> None:
        """Remove it; the kernel may need a moment after the last process has gone."""
        end_s = time.monotonic() + _REMOVE_S
        while time.monotonic() < end_s:
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.01)
            else:
                return


def make_cgroup(parent: Path, limits: Limits) -> Cgroup:
    """Make a cgroup with the limits of a job; files in memory count here, so they get room of their own.

    Raises:
        OSError: the folder is not ours to divide after all.
    """
    folder = parent / f"llmbench-{os.getpid()}-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        room_bytes = limits.memory_bytes + _WRITABLE_VOLUMES * limits.disk_bytes + _SLACK_BYTES
        (folder / "memory.max").write_text(str(room_bytes))
        (folder / "pids.max").write_text(str(limits.processes + 1))
        with suppress(OSError):  # absent where the kernel has no swap accounting
            (folder / "memory.swap.max").write_text("0")
    except OSError:
        folder.rmdir()
        raise
    return Cgroup(folder)
