"""A schedule and a request, made into the writes of one answer: what is sent when, and how many tokens it carries. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from benchmarks.schedule_server.chunks import Answer, Asked
from benchmarks.schedule_server.schedule import Schedule

FLOOD_WRITE_BYTES = 64 * 1024
"""Chunks of a flood are handed to the socket in writes of about this size."""
_PING = b": ping\n\n"
_END = b"0\r\n\r\n"


class Write(NamedTuple):
    """One write to the socket."""

    due_s: float
    """Since the moment when the first token is due; negative before it."""
    tokens: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Plan:
    """One answer, in the order of its writes."""

    first_s: float
    """When the first token is due, in seconds since the request's arrival."""
    writes: tuple[Write, ...]
    completion_tokens: int
    reasoning_tokens: int
    finish_reason: str


class _Body(NamedTuple):
    """The part of an answer that is the same whatever the prompt."""

    writes: tuple[Write, ...]
    answer: Answer


def plan(schedule: Schedule, asked: Asked) -> Plan:
    """Lay out the answer to a request."""
    uncached = asked.prompt_tokens - asked.cached_tokens
    first_s = schedule.ttft_ms / 1e3 + uncached * schedule.prefill_us / 1e6
    # Laying out takes a millisecond, and 64 requests may come at once: what they share is made once.
    shared = replace(asked, wants_usage=False)
    if schedule.usage != "continuous":
        shared = replace(shared, prompt_tokens=0, cached_tokens=0)
    body, answer = _body(schedule, shared)
    own = Answer(schedule, asked)
    last_s = body[-1].due_s if body else 0.0
    if asked.is_streamed:
        early = (Write(-first_s, 0, _coded(own.role())),) if schedule.role == "early" else ()
        writes = (*early, *body, Write(last_s, 0, _coded(own.tail()) + _END))
        if schedule.ping_ms:
            pings = _pings(-first_s, last_s, schedule.ping_ms / 1e3)
            writes = tuple(heapq.merge(pings, writes, key=lambda write: write.due_s))
    else:
        writes = (Write(last_s, len(answer.tokens), own.whole()),)
    return Plan(first_s, writes, len(answer.tokens), answer.reasoning_tokens, answer.finish_reason)


@lru_cache(maxsize=64)
def _body(schedule: Schedule, asked: Asked) -> _Body:
    answer = Answer(schedule, asked)
    writes = _paced(schedule, answer, ahead=_coded(answer.role()) if schedule.role == "first" else b"")
    return _Body(tuple(writes if schedule.interval_ms else _joined(writes)), answer)


def _paced(schedule: Schedule, answer: Answer, ahead: bytes) -> Iterator[Write]:
    sent, due_s = 0, 0.0
    for tokens, data in answer.pieces():
        if sent:
            due_s += tokens * schedule.interval_ms / 1e3
        if sent <= schedule.stall_at < sent + tokens:
            due_s += schedule.stall_ms / 1e3
        sent += tokens
        yield Write(due_s, tokens, ahead + _coded(data))
        ahead = b""


def _joined(writes: Iterator[Write]) -> Iterator[Write]:
    """Join what is due at one time into few writes, for a flood."""
    due_s, tokens, data = 0.0, 0, bytearray()
    for write in writes:
        if data and (write.due_s > due_s or len(data) >= FLOOD_WRITE_BYTES):
            yield Write(due_s, tokens, bytes(data))
            tokens, data = 0, bytearray()
        due_s, tokens = write.due_s, tokens + write.tokens
        data += write.data
    if data:
        yield Write(due_s, tokens, bytes(data))


def _pings(begin_s: float, end_s: float, every_s: float) -> Iterator[Write]:
    at_s = begin_s + every_s
    while at_s < end_s:
        yield Write(at_s, 0, _coded(_PING))
        at_s += every_s


def _coded(events: bytes) -> bytes:
    """Put events into the chunked coding, each in a chunk of its own as servers do."""
    return b"".join(b"%x\r\n%s\r\n" % (len(event) + 2, event + b"\n\n") for event in events.split(b"\n\n") if event)
