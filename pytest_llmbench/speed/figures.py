"""The figures of one stream, by the definitions that every report of this package uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.model.decode import NO_TEXT, NO_USAGE, ONE_READ, decode_rate
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.split import answer_tokens, reasoning_tokens
from pytest_llmbench.speed.tokens import REPLAY, arrivals, chunk_gaps, percentiles, token_gaps, why_no_stream

REASONING_ONLY = Unknown("reasoning only: no text of the answer came")
NO_CACHE_WORD = Unknown("the server does not say how much of the prompt came from its cache")


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """What one stream shows of the server's speed; all times count from the write of the request's last byte."""

    ttft_s: float | None
    """Seconds to the first read that completed an event with generated text: reasoning, answer or call of a tool."""
    ttft_answer_s: float | None
    """The same for what is no reasoning."""
    decode_tok_s: float | None
    """Tokens after the first read that brought any, over the seconds from that read to the last one that did."""
    tpot_s: float | None
    """Seconds per output token: 1 / `decode_tok_s`."""
    itl_p50_s: float | None
    """Seconds between tokens, half of them: gaps between reads that brought tokens, spread over the later one's."""
    itl_p90_s: float | None
    """The same, 90 % of the tokens."""
    itl_p99_s: float | None
    """The same, 99 % of the tokens; the longest gap if there are fewer than 100."""
    chunk_gap_p50_s: float | None
    """Seconds between reads that brought text, whatever number of tokens: what a reader of the stream sees."""
    chunk_gap_p99_s: float | None
    """The same, 99 % of the reads."""
    e2e_s: float | None
    """Seconds to the end of the stream."""
    prompt_tokens: int | None
    """As the server counted; cached ones included."""
    cached_tokens: int | None
    """Prompt tokens that came from the server's prefix cache."""
    completion_tokens: int | None
    """As the server counted: reasoning, answer, and tokens without text."""
    reasoning_tokens: int | None
    """As the server counted, or the sum of what it said of each chunk of reasoning; 0 if none came."""
    answer_tokens: int | None
    """`completion_tokens` less `reasoning_tokens`."""
    tokens_per_chunk: float | None
    """Tokens that came in events with text, over the number of these events."""
    unknown: Mapping[str, str]
    """For each figure that is None, the reason in words."""


def stream_figures(exchange: Exchange) -> StreamFigures:
    """Read the figures off a whole answer; what it does not show is None, with its reason, and never a guess."""
    found: dict[str, Any] = {}
    usage, timing = exchange.usage, exchange.timing
    absent = why_no_stream(exchange)
    found["ttft_s"] = _or(_began_s(exchange), absent or NO_TEXT)
    found["ttft_answer_s"] = _or(_answer_began_s(exchange), absent or REASONING_ONLY)
    found |= _rates(exchange)
    gaps = chunk_gaps(exchange)
    for name, value in zip(("chunk_gap_p50_s", "chunk_gap_p99_s"), percentiles(gaps, (0.5, 0.99)), strict=True):
        found[name] = _or(value, absent or ONE_READ)
    found["e2e_s"] = _or(timing.e2e_s, REPLAY)
    found["prompt_tokens"] = _or(usage.prompt_tokens, NO_USAGE)
    found["cached_tokens"] = _or(usage.cached_tokens, NO_CACHE_WORD)
    found["completion_tokens"] = _or(usage.completion_tokens, NO_USAGE)
    found["reasoning_tokens"] = reasoning_tokens(exchange)
    found["answer_tokens"] = answer_tokens(exchange)
    unknown = {name: value.reason for name, value in found.items() if isinstance(value, Unknown)}
    return StreamFigures(**found | dict.fromkeys(unknown), unknown=unknown)


def _began_s(exchange: Exchange) -> float | None:
    # A call of a tool is no text, and yet is made of tokens.
    return exchange.chunks[0].at_s if exchange.chunks else exchange.timing.ttft_s


def _answer_began_s(exchange: Exchange) -> float | None:
    if exchange.timing.ttft_answer_s is not None or exchange.content:
        return exchange.timing.ttft_answer_s
    return next((chunk.at_s for chunk in exchange.chunks if not chunk.is_reasoning), None)


def _rates(exchange: Exchange) -> dict[str, float | Unknown]:
    """All that depends on when each token came."""
    found = arrivals(exchange)
    if isinstance(found, Unknown):
        names = ("decode_tok_s", "tpot_s", "itl_p50_s", "itl_p90_s", "itl_p99_s", "tokens_per_chunk")
        return dict.fromkeys(names, found)
    rate = decode_rate([each.at_s for each in found], [each.tokens for each in found])
    p50_s, p90_s, p99_s = percentiles(token_gaps(found), (0.5, 0.9, 0.99))
    return {
        "decode_tok_s": rate,
        "tpot_s": rate if isinstance(rate, Unknown) else 1 / rate,
        "itl_p50_s": _or(p50_s, ONE_READ),
        "itl_p90_s": _or(p90_s, ONE_READ),
        "itl_p99_s": _or(p99_s, ONE_READ),
        "tokens_per_chunk": sum(each.tokens for each in found) / len(exchange.chunks),
    }


def _or(value: float | None, reason: Unknown) -> float | Unknown:
    return reason if value is None else value
