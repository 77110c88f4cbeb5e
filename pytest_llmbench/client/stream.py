"""What was read from the socket, turned into an answer, or into the reason why it is none. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from pytest_llmbench.client.deltas import Deltas, ServerSaidError
from pytest_llmbench.client.faults import Site
from pytest_llmbench.client.sse import Event, EventTooLongError, SseParser
from pytest_llmbench.client.wire import read_chunk, read_plain
from pytest_llmbench.model.completion import Exchange, NetworkRead, Timing

DONE = "[DONE]"
SSE, JSON = "text/event-stream", "application/json"

MANY = 16
"""So many plain events are gathered, from as many reads as it takes, because it is faster to read them together than each by itself."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A response with status 200, as it came; times in seconds since the request was sent."""

    reads: Sequence[tuple[float, bytes]]
    ended_at_s: float
    content_type: str = SSE
    """As the server sent it; empty if it did not."""
    broken: str | None = None
    """How the connection failed before the end of the body; None if it did not."""
    transport: str | None = None
    """What took the times; as in `Exchange`."""
    sent_at_s: float | None = None
    """When the request was sent, on the monotonic clock: what all times here count from. None if no clock ran."""


def fold(recording: Recording, site: Site) -> Exchange:
    """Return the whole answer that the recording holds.

    An answer is whole once a finish reason or `[DONE]` came, whatever the connection did afterwards.

    Raises:
        EndpointError: half an answer, an error that the server reported in place of one, or something else altogether.
    """
    media_type = recording.content_type.partition(";")[0].strip().lower() or _sniff(recording)
    if media_type == SSE:
        exchange = _fold_events(recording, site)
    elif media_type == JSON:
        exchange = _fold_whole(recording, site)
    else:
        raise site.error(
            f"HTTP 200 of type {site.quote(media_type)}, wanted {SSE}; it begins {site.quote(_begin(recording))};"
            " is this the base URL of an OpenAI-compatible API, ending in /v1?"
        )
    reads = tuple(NetworkRead(at_s, len(data)) for at_s, data in recording.reads)
    return replace(exchange, reads=reads, transport=recording.transport)


def _fold_events(recording: Recording, site: Site) -> Exchange:
    parser, folder = SseParser(), _EventFolder(recording, site)
    try:
        try:
            for read, (_, data) in enumerate(recording.reads):
                folder.take(*parser.feed(data), read)
            folder.take(parser.close(), [], len(recording.reads))
        finally:
            folder.flush()  # what came before a fault may be the server's own word
    except (EventTooLongError, _HalfError) as error:
        _refuse_half(recording, site, str(error))
    if not folder.is_done and folder.deltas.finish_reason is None:
        _refuse_half(recording, site, "neither a finish_reason nor [DONE] came")
    return folder.deltas.exchange(recording.ended_at_s)


class _HalfError(ValueError):
    """An event holds no JSON."""


class _EventFolder:
    """Takes events in their order; plain ones wait until there are many."""

    def __init__(self, recording: Recording, site: Site) -> None:
        self.deltas = Deltas()
        self.is_done = False
        """Whether the last event came, by the server's word."""
        self._times_s = [at_s for at_s, _ in recording.reads]
        self._site = site
        self._raws: list[bytes] = []
        self._reads: list[int] = []

    def take(self, events: Sequence[Event], plain: Sequence[bytes], read: int) -> None:
        """Take the events of one read, and after them the data of its plain ones."""
        if events:
            self.flush()
            for event in events:
                self._take_one(event)
        self._raws += plain
        self._reads += [read] * len(plain)
        if len(self._raws) >= MANY:
            self.flush()

    def flush(self) -> None:
        """Read those that wait."""
        raws, self._raws = self._raws, []
        reads, self._reads = self._reads, []
        chunks = read_plain(raws) if len(raws) >= MANY else None
        if chunks is None:
            for raw, read in zip(raws, reads, strict=True):
                self._take_one(Event("message", raw, read))
        else:
            self.deltas.take_plain(chunks, [self._times_s[read] for read in reads])

    def _take_one(self, event: Event) -> None:
        name, data, read = event
        if name == "error" and event.data.strip() != DONE:
            raise _said(self._site, event.data)
        try:
            chunk = read_chunk(data)
        except (ValueError, RecursionError) as error:
            said = event.data.strip()
            if said and said != DONE:
                raise _HalfError(f"an event holds no JSON: {self._site.quote(event.data)}") from error
            self.is_done = self.is_done or said == DONE
            return
        try:
            self.deltas.take(chunk, self._times_s[read], data)
        except ServerSaidError as error:
            raise _said(self._site, str(error)) from error


def _fold_whole(recording: Recording, site: Site) -> Exchange:
    """Read the answer of a server that does not stream; it has no times but its end."""
    body = b"".join(data for _, data in recording.reads)
    if recording.broken is not None:
        _refuse_half(recording, site, "the JSON body is not whole")
    deltas = Deltas()
    try:
        deltas.take(read_chunk(body), recording.ended_at_s, body)
    except ServerSaidError as error:
        raise _said(site, str(error)) from error
    except (ValueError, RecursionError) as error:
        raise site.error(f"HTTP 200 of type {JSON}, but the body is none: {site.quote(body)}") from error
    if not deltas.choices:
        raise site.error(f"HTTP 200 with JSON that holds no choices: {site.quote(body)}")
    exchange = deltas.exchange(recording.ended_at_s)
    timing = Timing(e2e_s=recording.ended_at_s, text_chunks=exchange.timing.text_chunks)
    return replace(exchange, timing=timing, chunks=())


def _said(site: Site, text: str) -> Exception:
    return site.error(f"the server reported an error in place of an answer: {site.quote(text)}; see its log")


def _refuse_half(recording: Recording, site: Site, why: str) -> NoReturn:
    size_bytes = sum(len(data) for _, data in recording.reads)
    how = recording.broken or "the stream ended"
    raise site.error(
        f"half-received answer: {how} after {size_bytes} bytes and {recording.ended_at_s:.1f} s; {why};"
        " it is not asked for again, see the server's log"
    )


def _begin(recording: Recording) -> bytes:
    begin = b""
    for _, data in recording.reads:
        begin += data
        if len(begin) > 1024:  # noqa: PLR2004 (more than is quoted)
            break
    return begin


def _sniff(recording: Recording) -> str:
    """Guess the type of a body that came without one."""
    return {b"{": JSON, b"<": "unknown"}.get(_begin(recording).lstrip()[:1], SSE)
