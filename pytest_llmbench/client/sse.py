"""Server-sent events without I/O: bytes in, events out.

The stream is parsed after it has ended, so each event says which read completed it and can be timed afterwards.
The rules are those of https://html.spec.whatwg.org/multipage/server-sent-events.html, but for one: see `SseParser.close`.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_EVENT_BYTES = 8 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_LINE_ENDS = (b"\n", b"\r")
_PLAIN = b"data: "
_NEXT = b"\n\n" + _PLAIN


class EventTooLongError(ValueError):
    """One event, or one line, holds more bytes than the parser was told to keep."""


class Event(NamedTuple):
    """One event of the stream."""

    name: str
    """`message` if the stream does not name it."""
    raw: bytes
    """The `data` lines, joined by newlines."""
    read: int
    """Which `feed` completed it, counted from 0."""

    @property
    def data(self) -> str:
        """The data as text; bytes that are no UTF-8 became U+FFFD."""
        return self.raw.decode("utf-8", "replace")


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
        self._data: list[bytes] = []
        self._name = ""
        self._read = -1

    def feed(self, data: bytes) -> tuple[list[Event], list[bytes]]:
        """Take one read and return the events that it completes, and after them the data of the plain ones.

        An event is plain that has no name and one line, as nearly all have: those of a read come out together.

        Raises:
            EventTooLongError: an event grew over the bound; the parser is of no further use.
        """
        self._read += 1
        is_amid_event = self._first or self._partial or self._data or self._name
        # Most servers write each event by itself.
        if not (is_amid_event or self._after_cr) and (plain := self._plain(data)):
            return [], plain
        events: list[Event] = []
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")  # CR ended the line already; this LF belongs to it
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            self._lines(data, events)
            return events, []
        # All but the first and the last event of a read are whole, and nearly all of them are one line of data.
        end = data.rfind(b"\n\n") + 2
        if end == 1:  # there is none
            self._lines(data, events)
            return events, []
        start = data.find(b"\n\n") + 2 if is_amid_event else 0
        self._lines(data[:start], events)
        plain = self._plain(data[start:end])
        if not plain:
            self._lines(data[start:end], events)
        self._lines(data[end:], events)  # completes none: there is no blank line in it
        return events, plain

    def _plain(self, data: bytes) -> list[bytes]:
        """Return the data of whole events ended by LF only; nothing where any of them is more than one line of data."""
        if data.startswith(_PLAIN) and data.endswith(b"\n\n") and len(data) < self._limit_bytes:
            values = data[len(_PLAIN) : -2].split(_NEXT)
            if data.count(b"\n") == 2 * len(values) and b"\r" not in data:
                return values
        return []

    def _lines(self, data: bytes, events: list[Event]) -> None:
        """Take anything."""
        if not data:
            return
        for piece in data.splitlines(keepends=True):
            self._bound(len(piece))
            if not piece.endswith(_LINE_ENDS):
                self._partial.append(piece)
                self._partial_bytes += len(piece)
            elif (event := self._end_line(piece.rstrip(b"\r\n"))) is not None:
                events.append(event)

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
            self._data.append(value.removeprefix(b" "))
            self._data_bytes += len(line)
        elif name == b"event":
            self._name = value.removeprefix(b" ").decode("utf-8", "replace")
        return None

    def _dispatch(self) -> Event | None:
        event = Event(self._name or "message", b"\n".join(self._data), self._read) if self._data else None
        self._data.clear()
        self._data_bytes = 0
        self._name = ""
        return event
