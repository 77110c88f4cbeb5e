"""The tokens of a stream on its time line."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.model.decode import NO_TEXT, share_out
from pytest_llmbench.model.unknown import Unknown

REPLAY = Unknown("the answer has no times: it was read from a folder, not from a server")
NOT_STREAMED = Unknown("the server did not stream: the whole answer came at once")
NOT_KEPT = Unknown("the times of its chunks were not kept")


class Arrival(NamedTuple):
    """One read from the socket that brought tokens."""

    at_s: float
    """Seconds on the monotonic clock since the request was sent."""
    tokens: float
    """More than 0; broken where the server does not say how many tokens a chunk holds, and they are shared out."""


class Gap(NamedTuple):
    """What tokens waited for after the ones before them."""

    per_token_s: float
    tokens: float
    """How many waited that long: the weight of this gap."""


def why_no_stream(exchange: Exchange) -> Unknown | None:
    """Say why an answer has no times of chunks; None if it has."""
    if exchange.chunks:
        return None
    if exchange.timing.e2e_s is None:
        return REPLAY
    if not exchange.content and not exchange.reasoning:
        return NO_TEXT
    return NOT_STREAMED if exchange.timing.ttft_s is None else NOT_KEPT


def arrivals(exchange: Exchange) -> tuple[Arrival, ...] | Unknown:
    """Return when the tokens of a stream came, one entry for each read that brought any."""
    if (absent := why_no_stream(exchange)) is not None:
        return absent
    shares = share_out([chunk.tokens for chunk in exchange.chunks], exchange.usage.completion_tokens)
    if isinstance(shares, Unknown):
        return shares
    reads: dict[float, float] = {}
    for chunk, tokens in zip(exchange.chunks, shares, strict=True):
        if tokens > 0:
            reads[chunk.at_s] = reads.get(chunk.at_s, 0.0) + tokens
    return tuple(Arrival(at_s, tokens) for at_s, tokens in reads.items())


def token_gaps(found: Sequence[Arrival]) -> tuple[Gap, ...]:
    """Return the gaps between reads that brought tokens, each spread over the tokens of the later read."""
    return tuple(Gap((later.at_s - earlier.at_s) / later.tokens, later.tokens) for earlier, later in pairwise(found))


def chunk_gaps(exchange: Exchange) -> tuple[Gap, ...]:
    """Return the gaps between reads that brought text, whatever number of tokens; each has the weight 1."""
    times_s = dict.fromkeys(chunk.at_s for chunk in exchange.chunks)
    return tuple(Gap(later - earlier, 1.0) for earlier, later in pairwise(times_s))


def percentiles(gaps: Iterable[Gap], shares: Sequence[float]) -> list[float | None]:
    """Return, for each share, the smallest gap in seconds that so many of all tokens did not exceed; None without gaps.

    It is a gap that occurred, never one between two: of fewer than 100 tokens, the 99th percentile is the longest one.
    """
    in_order = sorted(gaps)
    seen = list(accumulate(gap.tokens for gap in in_order))
    if not seen:
        return [None] * len(shares)
    # Weights are sums of broken numbers: without the tolerance, rounding would decide which gap it is.
    return [in_order[bisect_left(seen, share * seen[-1] * (1 - 1e-9))].per_token_s for share in shares]
