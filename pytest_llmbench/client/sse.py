"""Server-sent events without I/O: bytes in, events out.

The stream is parsed after it has ended, so each event says which read completed it and can be timed afterwards.
The rules are those of https://html.spec.whatwg.org/multipage/server-sent-events.html, but for one: see `SseParser.close`.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_EVENT_BYTES = 8 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_LINE_ENDS = (b"\n", b"\r")


class EventTooLongError(ValueError):
    """One event, or one line, holds more bytes than the parser was told to keep."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream."""

    name: str
    """`message` if the stream does not name it."""
    data: str
    """The `data` lines, joined by newlines; bytes that are no UTF-8 became U+FFFD."""
    read: int
    """Which `feed` completed it, counted from 0."""


class SseParser:
    """Takes the stream in any pieces and returns the same events for all of them.

    Args:
        max_event_bytes: upper bound of what is kept of an event that is not yet complete.
    """

    __slots__ = (
        "_after_cr",
        "_data",
        "_data_bytes",
        "_first",
        "_limit_bytes",
        "_name",
        "_partial",
        "_partial_bytes",
        "_read",
    )

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._limit_bytes = max_event_bytes
        self._partial: list[bytes] = []  # pieces of the line that has not ended; joined once, so no quadratic cost
        self._partial_bytes = 0
        self._data_bytes = 0
        self._after_cr = False
        self._first = True
        self._data: list[str] = []
        self._name = ""
        self._read = -1

    def feed(self, data: bytes) -> list[Event]:
        """Take one read and return the events that it completes.

        Raises:
            EventTooLongError: an event grew over the bound; the parser is of no further use.
        """
        self._read += 1
        if not data:
            return []
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]  # CR ended the line already; this LF belongs to it
        self._after_cr = data.endswith(b"\r") if data else False
        events = []
        for piece in data.splitlines(keepends=True):
            self._bound(len(piece))
            if not piece.endswith(_LINE_ENDS):
                self._partial.append(piece)
                self._partial_bytes += len(piece)
            elif (event := self._end_line(piece.rstrip(b"\r\n"))) is not None:
                events.append(event)
        return events

    def close(self) -> list[Event]:
        """Take the end of the stream and return the event that it completes, if any.

        The specification drops an event without its blank line. Here it counts: servers end with a bare
        `data: [DONE]`, and whether half an event is of use shows when its JSON is read.
        """
        endings = (self._end_line(b""), self._end_line(b""))
        return [event for event in endings if event is not None]

    def _bound(self, more_bytes: int) -> None:
        if self._data_bytes + self._partial_bytes + more_bytes > self._limit_bytes:
            raise EventTooLongError(f"an event of more than {self._limit_bytes} bytes")

    def _end_line(self, rest: bytes) -> Event | None:
        line = rest
        if self._partial:
            line = b"".join((*self._partial, rest))
            self._partial.clear()
            self._partial_bytes = 0
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        # A comment starts with a colon and so has an empty name. `id` and `retry` serve reconnection, which never happens here.
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
            self._data_bytes += len(line)
        elif name == b"event":
            self._name = value.removeprefix(b" ").decode("utf-8", "replace")
        return None

    def _dispatch(self) -> Event | None:
        event = Event(self._name or "message", "\n".join(self._data), self._read) if self._data else None
        self._data.clear()
        self._data_bytes = 0
        self._name = ""
        return event
