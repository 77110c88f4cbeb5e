"""What to know of a workload's answers before its figures are believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.speed.degenerate import repetition
from pytest_llmbench.speed.window import Flight

CACHED_SHARE = 0.01
"""Of the prompt. The few tokens with which a chat template begins every prompt may come from a cache."""

SHORT_SHARE = 0.99
"""Of the tokens that were asked for; the end of the answer may be one of them."""


def marks(flights: Sequence[Flight], target_answer_tokens: int | None, *, cached_on_purpose: bool) -> dict[str, str]:
    """Return each mark that applies, with its reason in words."""
    exchanges = [flight.exchange for flight in flights if flight.exchange is not None]
    found: dict[str, str] = {}
    if failed := len(flights) - len(exchanges):
        found["failed-requests"] = f"{failed} of {len(flights)} requests brought no whole answer"
    checks: Mapping[str, Callable[[Exchange], str | None]] = {
        "degenerate": _degenerate,
        "cached": (lambda _: None) if cached_on_purpose else _cached,
        "short-answers": lambda exchange: _short(exchange, target_answer_tokens),
    }
    for mark, check in checks.items():
        reasons = [reason for reason in map(check, exchanges) if reason is not None]
        if reasons:
            found[mark] = f"{len(reasons)} of {len(exchanges)} answers: {reasons[0]}"
    return found


def _degenerate(exchange: Exchange) -> str | None:
    for text in (exchange.content, exchange.reasoning or ""):
        found = repetition(text)
        if found.degenerate:
            return found.reason
    return None


def _cached(exchange: Exchange) -> str | None:
    cached, prompt = exchange.usage.cached_tokens, exchange.usage.prompt_tokens
    if not cached or not prompt or cached <= CACHED_SHARE * prompt:
        return None
    return f"{cached} of {prompt} prompt tokens came from the server's cache"


def _short(exchange: Exchange, wanted: int | None) -> str | None:
    tokens = exchange.usage.completion_tokens
    if wanted is None or tokens is None or tokens >= SHORT_SHARE * wanted:
        return None
    return f"{tokens} tokens instead of {wanted} (finish reason {exchange.finish_reason})"
