"""Answers as a server with a known schedule gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pytest_llmbench.model.completion import Exchange, TextChunk, Timing, Usage
from pytest_llmbench.speed.window import Flight

TTFT_S, INTERVAL_S, TOKENS = 0.1, 0.01, 256


def chunked(chunks: Sequence[TextChunk], *, usage: Usage | None = None, **more: Any) -> Exchange:
    """Put an answer together as the client does; each character of its text is an `x`."""
    content = "x" * sum(chunk.chars for chunk in chunks if not chunk.is_reasoning)
    reasoning = "r" * sum(chunk.chars for chunk in chunks if chunk.is_reasoning)
    answer_s = [chunk.at_s for chunk in chunks if not chunk.is_reasoning]
    timing = Timing(
        ttft_s=chunks[0].at_s,
        ttft_answer_s=answer_s[0] if answer_s else None,
        last_token_s=chunks[-1].at_s,
        e2e_s=chunks[-1].at_s + 0.001,
        text_chunks=len(chunks),
    )
    exchange = Exchange(
        content=content,
        reasoning=reasoning or None,
        finish_reason="length",
        usage=usage or Usage(),
        timing=timing,
        chunks=tuple(chunks),
        transport="recorder",
    )
    return replace(exchange, **more)


def streamed(  # noqa: PLR0913 (a schedule has that many sides)
    tokens: int = TOKENS,
    *,
    per_chunk: int = 1,
    reasoning: int = 0,
    says: bool = False,
    ttft_s: float = TTFT_S,
    interval_s: float = INTERVAL_S,
    usage: bool = True,
    prompt_tokens: int = 500,
    cached_tokens: int | None = 0,
    **more: Any,
) -> Exchange:
    """Say that token n was made at `ttft_s + n * interval_s`, and that a chunk comes with its last token.

    Args:
        tokens: in all.
        per_chunk: in each chunk, but the last one, which has the rest.
        reasoning: as many of the first chunks are reasoning.
        says: whether the server tells the tokens of each chunk.
        ttft_s: of the first chunk, in seconds.
        interval_s: between tokens, in seconds.
        usage: whether there is one.
        prompt_tokens: in the usage.
        cached_tokens: in the usage.
        more: further fields of the `Exchange`.
    """
    chunks = []
    for number, done in enumerate(range(0, tokens, per_chunk)):
        count = min(per_chunk, tokens - done)
        at_s = ttft_s + (done + count - min(per_chunk, tokens)) * interval_s
        chunks.append(TextChunk(at_s, 4 * count, number < reasoning, count if says else None))
    return chunked(chunks, usage=Usage(prompt_tokens, tokens, None, cached_tokens) if usage else None, **more)


def flight(sent_s: float, exchange: Exchange | None, *, ended_s: float | None = None) -> Flight:
    """Send it at that time; it ends with its stream, or when told."""
    if ended_s is None:
        assert exchange is not None
        assert exchange.timing.e2e_s is not None
        ended_s = sent_s + exchange.timing.e2e_s
    return Flight(sent_s, ended_s, exchange)
