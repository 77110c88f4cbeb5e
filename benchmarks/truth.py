"""What the server itself says of the answers that it wrote: what every client's figures are held against. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from benchmarks.schedule_server import Entry


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the answers of one run, by the server's log or by a client's word; None for what was not told."""

    ttft_s: float | None = None
    """From the request's arrival to the first token, reasoning or answer."""
    ttft_answer_s: float | None = None
    """The same to the first token outside reasoning."""
    decode_tok_s: float | None = None
    """Of one stream: tokens after the first write, over the time from the first write to the last."""
    itl_p99_s: float | None = None
    """Of one stream: gaps between writes, each spread over the tokens of the later one."""
    tokens: float | None = None
    """Of one stream, reasoning included."""


def truth(entry: Entry) -> Figures:
    """Return the figures of one answer."""
    writes = entry.tokens
    if not writes:
        return Figures(tokens=0)
    sent, answer_s = 0, None
    for write in writes:
        sent += write.tokens
        if answer_s is None and sent > entry.reasoning_tokens:
            answer_s = write.at_s - entry.arrived_s
    span_s = writes[-1].at_s - writes[0].at_s
    gaps_s = [
        (later.at_s - earlier.at_s) / later.tokens for earlier, later in pairwise(writes) for _ in range(later.tokens)
    ]
    return Figures(
        ttft_s=writes[0].at_s - entry.arrived_s,
        ttft_answer_s=answer_s,
        decode_tok_s=(sent - writes[0].tokens) / span_s if span_s else None,
        itl_p99_s=rank(gaps_s, 0.99),
        tokens=sent,
    )


def mean(figures: Sequence[Figures]) -> Figures:
    """Return the mean of each figure over those that have it."""
    return Figures(**{name: _mean([getattr(one, name) for one in figures]) for name in Figures.__slots__})


def rank(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that this share of all values does not exceed; None if there are none."""
    return sorted(values)[math.ceil(share * len(values)) - 1] if values else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
