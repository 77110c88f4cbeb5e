"""The chunked transfer coding of HTTP/1.1 without I/O: bytes from the socket in, bytes of the body out.

The rules are those of https://www.rfc-editor.org/rfc/rfc9112#section-7.1; the chunk extensions are passed over, and so
are the trailers.
"""

from __future__ import annotations

import re

MAX_LINE_BYTES = 4096
"""Upper bound of a chunk's size line, and of the trailers together."""

MANY_BYTES = 2048
"""From so many bytes in a read on, it is faster to look for its chunks together, if they are plain, than for each by itself."""

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\n]*)?\r?\n")
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
_QUOTED_BYTES = 40


class _Sizes(dict[bytes, int]):
    """What size lines say, read once; -1 for lines with more than a size in them, and for the last chunk's."""

    def __missing__(self, line: bytes) -> int:
        size = int(line, 16) if _SIZE.fullmatch(line) else 0
        if not size:
            return -1
        self[line] = size
        return size


class Dechunker:
    """Takes the coded body in any pieces and returns the same bytes for all of them.

    It never raises: what it cannot read ends the body, and `problem` says why.
    """

    __slots__ = ("_in_trailers", "_kept", "_left", "_sizes", "_trailer_bytes", "is_done", "problem", "surplus")

    def __init__(self) -> None:
        self.is_done = False
        """Whether the last chunk and the trailers after it have come."""
        self.problem: str | None = None
        """What is wrong with the coding; nothing is read any more after it."""
        self.surplus = b""
        """What came after the end of the body."""
        # Bytes of the chunk that are still to come; 0: only its line end is; None: a size line is.
        self._left: int | None = None
        self._kept = b""
        self._in_trailers = False
        self._trailer_bytes = 0
        self._sizes = _Sizes()

    def feed(self, data: bytes) -> bytes:
        """Take one read and return the bytes of the body that it brought."""
        if self._kept:
            data, self._kept = self._kept + data, b""
        body: list[bytes] = []
        at = 0
        while at < len(data) and not self.is_done and self.problem is None:
            if self._left is not None:
                at = self._chunk(data, at, self._left, body)
            elif self._in_trailers:
                at = self._trailer(data, at)
            else:
                if len(data) - at >= MANY_BYTES:
                    at = self._plain_chunks(data, at, body)
                at = _whole_chunks(data, at, body)
                at = self._size(data, at) if at < len(data) else at
        if self.is_done:
            self.surplus += data[at:]
        return body[0] if len(body) == 1 else b"".join(body)

    def _plain_chunks(self, data: bytes, at: int, body: list[bytes]) -> int:
        """Do what `_whole_chunks` does, in half the time, or nothing.

        It takes chunks that hold no line end, as events ended by LF do not, and size lines that hold nothing but sizes.
        """
        lines = data[at:].split(b"\r\n")  # the last one has not ended
        count = (len(lines) - 1) // 2 * 2
        sizes, chunks = lines[:count:2], lines[1:count:2]
        if list(map(self._sizes.__getitem__, sizes)) != list(map(len, chunks)):
            return at
        body += chunks
        return len(data) - len(b"\r\n".join(lines[count:]))

    def _size(self, data: bytes, at: int) -> int:
        found = _SIZE_LINE.match(data, at)
        if found is None:
            return self._keep(data, at, "malformed chunk size")
        size = int(found[1], 16)
        if size:
            self._left = size
        else:
            self._in_trailers = True
        return found.end()

    def _chunk(self, data: bytes, at: int, left: int, body: list[bytes]) -> int:
        if left:
            piece = data[at : at + left]
            body.append(piece)
            self._left = left - len(piece)
            return at + len(piece)
        if data.startswith(b"\r\n", at):
            self._left = None
            return at + 2
        if data[at:] == b"\r":
            self._kept = b"\r"
        else:
            self.problem = f"a chunk goes on after its size: {_quote(data, at)}"
        return len(data)

    def _trailer(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        if end < 0:
            return self._keep(data, at, "malformed trailer")
        self._trailer_bytes += end - at
        if data[at:end] in (b"", b"\r"):
            self.is_done = True
        elif self._trailer_bytes > MAX_LINE_BYTES:
            self.problem = f"trailers of more than {MAX_LINE_BYTES} bytes"
        return end + 1

    def _keep(self, data: bytes, at: int, complaint: str) -> int:
        """Keep an unfinished line for the next read, if it can still become one."""
        if b"\n" in data[at:] or len(data) - at > MAX_LINE_BYTES:
            self.problem = f"{complaint}: {_quote(data, at)}"
        else:
            self._kept = data[at:]
        return len(data)


def _whole_chunks(data: bytes, at: int, body: list[bytes]) -> int:
    """Take the chunks that are all there, which nearly all are; return where the first other one begins."""
    while (found := _SIZE_LINE.match(data, at)) is not None:
        start = found.end()
        end = start + int(found[1], 16)
        if end == start or not data.startswith(b"\r\n", end):
            break
        body.append(data[start:end])
        at = end + 2
    return at


def _quote(data: bytes, at: int) -> str:
    return repr(data[at : at + _QUOTED_BYTES])[1:]
