"""Heads of HTTP/1.1 messages without I/O: the bytes of a request, and what the head of a response says.

The rules are those of https://www.rfc-editor.org/rfc/rfc9112.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_HEAD_BYTES = 64 * 1024
_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([^\r\n]*))?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\n\0]*)")
_UNSENDABLE = re.compile(rb"[\r\n\0]")
_FRAMING_FIELDS = frozenset({b"content-length", b"transfer-encoding"})
_FIRST_FINAL_STATUS = 200
_WITHOUT_BODY = frozenset({204, 304})

Fields = tuple[tuple[bytes, bytes], ...]


class HeadError(ValueError):
    """What came is no head of an HTTP/1.1 message, or one that cannot be sent."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a response."""

    status: int
    reason: bytes
    fields: Fields
    """Names as sent, values without the white space around them."""
    is_chunked: bool
    length_bytes: int | None
    """Of the body; None where its chunks or the end of the connection tell it."""
    keeps_alive: bool
    """Whether the connection may serve another request once the body has come."""

    @property
    def is_interim(self) -> bool:
        """Whether the answer proper has still to come (1xx)."""
        return self.status < _FIRST_FINAL_STATUS

    def value(self, name: bytes) -> bytes | None:
        """Return the value of a field by its lower-case name; None if it is not there."""
        return next((value for key, value in self.fields if key.lower() == name), None)


def request_bytes(method: bytes, target: bytes, fields: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
    """Return a whole request; its length is told by a field of that name.

    Raises:
        HeadError: a line break in the target or in a field.
    """
    kept = [(name, value) for name, value in fields if name.lower() not in _FRAMING_FIELDS]
    if body or method not in (b"GET", b"HEAD"):
        kept.append((b"Content-Length", b"%d" % len(body)))
    lines = [b"%s %s HTTP/1.1" % (method, target), *(b"%s: %s" % field for field in kept)]
    if any(map(_UNSENDABLE.search, lines)):
        raise HeadError("a header holds a line break")
    return b"\r\n".join((*lines, b"", body))


def read_head(data: bytes, method: bytes = b"GET") -> tuple[Head, int] | None:
    """Return the head at the beginning of `data` and how long it is; None if it is not all there yet.

    Raises:
        HeadError: this is no HTTP/1.1.
    """
    end = _END.search(data)
    if end is None:
        if len(data) > MAX_HEAD_BYTES:
            raise HeadError(f"a head of more than {MAX_HEAD_BYTES} bytes")
        return None
    first, *lines = re.split(rb"\r?\n", data[: end.start()])
    status_line = _STATUS.fullmatch(first)
    if status_line is None:
        raise HeadError(f"this is no status line: {first[:60]!r}")
    fields = tuple(map(_field, lines))
    minor, status = status_line[1], int(status_line[2])
    has_body = method != b"HEAD" and status not in _WITHOUT_BODY and status >= _FIRST_FINAL_STATUS
    is_chunked = has_body and _is_chunked(fields)
    length_bytes = (None if is_chunked else _length(fields)) if has_body else 0
    options = b",".join(_values(fields, b"connection")).lower()
    keeps_alive = b"close" not in options and (minor == b"1" or b"keep-alive" in options)
    head = Head(status, status_line[3] or b"", fields, is_chunked, length_bytes, keeps_alive)
    return head, end.end()


def _field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.fullmatch(line)
    if found is None:
        raise HeadError(f"this is no header: {line[:60]!r}")
    return found[1], found[2].strip(b" \t")


def _values(fields: Fields, name: bytes) -> list[bytes]:
    return [value for key, value in fields if key.lower() == name]


def _is_chunked(fields: Fields) -> bool:
    codings = b",".join(_values(fields, b"transfer-encoding")).lower().replace(b" ", b"")
    if codings not in (b"", b"chunked", b"identity"):
        raise HeadError(f"transfer-encoding {codings[:60]!r} was not asked for")
    return codings == b"chunked"


def _length(fields: Fields) -> int | None:
    told = {value.strip() for values in _values(fields, b"content-length") for value in values.split(b",")}
    if not told:
        return None
    value = told.pop()
    if told or not (value.isdigit() and len(value) < 20):  # noqa: PLR2004 (as long as 64 bits are)
        raise HeadError(f"content-length {value[:60]!r} is no length")
    return int(value)
