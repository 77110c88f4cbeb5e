"""A FIFO that all processes of a test's server hold open: what they say, and when the last of them is gone."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_S = 60.0


class Line:
    """The reading end."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self.said = b""
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    def wait_for(self, word: str, times: int = 1) -> None:
        """Wait until a line with this word alone has come so many times."""
        deadline_s = time.monotonic() + PATIENCE_S
        while self.said.split(b"\n").count(word.encode()) < times:
            assert self._read(deadline_s), f"{word!r} did not come, only {self.said!r}"

    @property
    def is_over(self) -> bool:
        """Whether all who held it are gone, after some patience."""
        deadline_s = time.monotonic() + PATIENCE_S
        while self._read(deadline_s):
            pass
        return time.monotonic() < deadline_s

    @property
    def is_over_now(self) -> bool:
        """Whether all who held it are gone already."""
        while self._read(0.0):
            pass
        return any(event & select.POLLHUP for _, event in self._poll.poll(0))

    def close(self) -> None:
        """Release it."""
        os.close(self._fd)

    def _read(self, deadline_s: float) -> bool:
        if not self._poll.poll(1000 * max(0.0, deadline_s - time.monotonic())):
            return False
        data = os.read(self._fd, 65536)
        self.said += data
        return bool(data)


@contextmanager
def line_at(path: Path) -> Iterator[Line]:
    """Give a new one."""
    line = Line(path)
    try:
        yield line
    finally:
        line.close()
