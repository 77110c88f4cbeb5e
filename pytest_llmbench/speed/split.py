"""Reasoning and answer, counted apart where the server's own words allow it."""

from __future__ import annotations

from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.model.decode import NO_USAGE
from pytest_llmbench.model.reasoning import REASONING_TAGS
from pytest_llmbench.model.unknown import Unknown

NOT_APART = Unknown("the server does not count reasoning apart")
INLINE = Unknown("reasoning came between tags in the content, and the server does not count it apart")


def reasoning_tokens(exchange: Exchange) -> int | Unknown:
    """Return the tokens of the reasoning: the server's count, else the sum of what it said of each chunk.

    0 where the server counts none and none came. A server that reasons without showing it must count it, or nobody can.
    """
    if exchange.usage.reasoning_tokens is not None:
        return exchange.usage.reasoning_tokens
    if exchange.reasoning:
        said = [chunk.tokens for chunk in exchange.chunks if chunk.is_reasoning]
        known = [tokens for tokens in said if tokens is not None]
        return sum(known) if said and len(known) == len(said) else NOT_APART
    if _reasons_inline(exchange):
        return INLINE
    return NO_USAGE if exchange.usage.completion_tokens is None else 0


def answer_tokens(exchange: Exchange) -> int | Unknown:
    """Return the tokens of the answer, those without text (its end) included."""
    reasoning, total = reasoning_tokens(exchange), exchange.usage.completion_tokens
    if total is None:
        return NO_USAGE
    if isinstance(reasoning, Unknown):
        return reasoning
    if reasoning > total:
        return Unknown(f"the server contradicts itself: {reasoning} tokens of reasoning among {total}")
    return total - reasoning


def _reasons_inline(exchange: Exchange) -> bool:
    """Whether the content begins with reasoning.

    Either a tag opens it, or the client, which knows templates that open the tag in the prompt, saw the answer begin
    only after some other text.
    """
    begin = exchange.content.lstrip()[:32].lower()
    if any(begin.startswith(opening.lower()) for opening, _ in REASONING_TAGS):
        return True
    answer_s = exchange.timing.ttft_answer_s
    if exchange.timing.ttft_s is None:
        return False
    before = sum(chunk.chars for chunk in exchange.chunks if answer_s is None or chunk.at_s < answer_s)
    return bool(exchange.content[:before].strip())
