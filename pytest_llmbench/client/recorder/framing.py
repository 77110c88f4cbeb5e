"""How the end of a body is told: by its chunks, by its length, or by the end of the connection. Without I/O."""

from __future__ import annotations

from typing import Protocol

from pytest_llmbench.client.recorder.dechunk import Dechunker
from pytest_llmbench.client.recorder.head import Head


class Framing(Protocol):
    """Takes what the socket gave, returns what belongs to the body."""

    is_done: bool
    """Whether the body has come to its end."""
    problem: str | None
    """Why nothing more can be read."""
    surplus: bytes
    """What came after the end."""

    def feed(self, data: bytes) -> bytes:
        """Take one read and return the bytes of the body that it brought."""


class Counted:
    """A body whose length the head gives."""

    problem: str | None = None

    def __init__(self, length_bytes: int) -> None:
        self.left_bytes = length_bytes
        self.is_done = length_bytes == 0
        self.surplus = b""

    def feed(self, data: bytes) -> bytes:
        """Take one read and return the bytes of the body that it brought."""
        body, over = data[: self.left_bytes], data[self.left_bytes :]
        self.left_bytes -= len(body)
        self.is_done = self.left_bytes == 0
        self.surplus += over
        return body


class UntilClose:
    """A body that lasts as long as its connection."""

    problem: str | None = None
    is_done = False
    surplus = b""

    def feed(self, data: bytes) -> bytes:
        """Return it all."""
        return data


def framing_of(head: Head) -> Framing:
    """Return what reads the body that follows a head."""
    if head.is_chunked:
        return Dechunker()
    return UntilClose() if head.length_bytes is None else Counted(head.length_bytes)
