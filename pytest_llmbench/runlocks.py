"""What only running processes need of a run folder: locks of the kernel's, and the word that a run was given up."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

LOCKS = ".locks"
ABANDONED = "abandoned"
GRADING = "grading"
"""Lock that every process shares that fetches and grades, as workers live on for a while when the controller is killed."""
POLL_S = 0.02


class RunLocks:
    """The locks of the run folder at `path`; nothing is made before one is taken."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @staticmethod
    def slots(endpoint: str, count: int) -> list[str]:
        """Names of the locks that stand for an endpoint's places: as many as there may be requests in flight."""
        return [f"slot-{endpoint}-{place}" for place in range(count)]

    def claim(self, name: str) -> IO[bytes] | None:
        """Try to take the lock called `name`; None if another holds it. Closing it, or dying, frees it."""
        return self._lock(name, fcntl.LOCK_EX)

    def share(self, name: str) -> IO[bytes] | None:
        """Try to hold the lock called `name` together with others who share it; None if one has it alone."""
        return self._lock(name, fcntl.LOCK_SH)

    def claim_all(self, names: Iterable[str]) -> Iterator[IO[bytes]]:
        """Take all these locks, one after the other, waiting for each as long as it takes."""
        for name in names:
            while (taken := self.claim(name)) is None:
                time.sleep(POLL_S)  # the kernel has no event for a lock of another process that came free
            yield taken

    def is_claimed(self, name: str) -> bool:
        """Whether some process, this one included, holds the lock called `name`."""
        try:
            handle = self.lock_path(name).open("rb")  # to look takes no right to write
        except FileNotFoundError:
            return False
        with handle:
            try:
                # Shared, so that two who look at once do not take each other for the holder.
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def lock_path(self, name: str) -> Path:
        """Where things lie that only running processes need."""
        return self.path / LOCKS / name

    def abandon(self) -> None:
        """Tell all processes of the run that nobody needs what they are waiting for any more."""
        self.lock_path(ABANDONED).touch()

    @property
    def is_abandoned(self) -> bool:
        """Whether the run was given up."""
        return self.lock_path(ABANDONED).exists()

    def forget(self) -> None:
        """Remove what processes of an earlier run said that was killed."""
        for said in (self.lock_path(ABANDONED), *self.lock_path("").glob("*.json")):
            said.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove all of it."""
        shutil.rmtree(self.path / LOCKS, ignore_errors=True)

    def _lock(self, name: str, how: int) -> IO[bytes] | None:
        path = self.lock_path(name)
        while True:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                handle = path.open("ab")
            except FileNotFoundError:
                continue  # a run that ends has just removed it all
            try:
                fcntl.flock(handle, how | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.close()
                return None
            if _is_at(handle, path):
                return handle
            handle.close()


def _is_at(handle: IO[bytes], path: Path) -> bool:
    """Whether the next one to lock that path would lock the same file: a run that ends may have removed it."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except FileNotFoundError:
        return False
