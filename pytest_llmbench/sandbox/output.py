"""Reads a job's stdout and stderr into bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterable

FLOOD_FACTOR = 64
"""Output beyond this many times the limit ends the job: reading it costs us time too."""

_READ_BYTES = 65536


class Output:
    """Two pipes; what passes the limit, both together, is dropped and counted."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.dropped_bytes = 0
        out, err = os.pipe(), os.pipe()
        self.write_fds: tuple[int, ...] = (out[1], err[1])
        self._held = {out[0]: bytearray(), err[0]: bytearray()}
        self._open = set(self._held)
        for fd in self._held:
            os.set_blocking(fd, False)

    @property
    def read_fds(self) -> tuple[int, ...]:
        """The descriptors to poll."""
        return tuple(self._held)

    @property
    def flooded(self) -> bool:
        """Whether far more came than is kept."""
        return self.dropped_bytes > FLOOD_FACTOR * self._limit_bytes

    def held(self) -> tuple[bytes, bytes]:
        """Return what was kept of stdout and stderr."""
        out, err = (bytes(data) for data in self._held.values())
        return out, err

    def read_ready(self, ready: Iterable[int]) -> list[int]:
        """Read once from each descriptor that is ready and ours; return those that have ended."""
        ours = [fd for fd in ready if fd in self._open]
        ended = [fd for fd in ours if self._read(fd) == 0]
        self._open.difference_update(ended)
        return ended

    def drain(self) -> None:
        """Read what lies in the pipes now, at most a full pipe each, so that an end is reported after its output."""
        for fd in self._open:
            for _ in range(16):
                if not self._read(fd):
                    break

    def _read(self, fd: int) -> int | None:
        """Return the number of bytes read: 0 at the end, None if there is nothing now."""
        try:
            part = os.read(fd, _READ_BYTES)
        except BlockingIOError:
            return None
        room = max(0, self._limit_bytes - sum(map(len, self._held.values())))
        self._held[fd] += part[:room]
        self.dropped_bytes += max(0, len(part) - room)
        return len(part)

    def close_write_ends(self) -> None:
        """Close our copies of the candidate's ends."""
        for fd in self.write_fds:
            os.close(fd)
        self.write_fds = ()

    def close(self) -> None:
        """Close the read ends; what was kept stays."""
        for fd in self._held:
            os.close(fd)
        self._open.clear()
