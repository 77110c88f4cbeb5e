"""What each test carries of its answer: into JUnit, and from xdist's workers to the controller."""

from __future__ import annotations

from pytest_llmbench.model.completion import Completion, transcript_path


def completion_properties(completion: Completion) -> tuple[tuple[str, str | int | float], ...]:
    """Return name and value of each figure that is known; times in seconds, rounded to what they can mean."""
    found: dict[str, str | int | float | None] = {"transcript": transcript_path(completion.key)}
    if (exchange := completion.exchange) is not None:
        usage = exchange.usage
        found |= {
            "finish_reason": exchange.finish_reason,
            "tok_s": _rounded(completion.decode_tok_s, 2),
            "ttft_s": _rounded(exchange.timing.ttft_s, 4),
            "ttft_answer_s": _rounded(exchange.timing.ttft_answer_s, 4),
            "e2e_s": _rounded(exchange.timing.e2e_s, 4),
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "cached_tokens": usage.cached_tokens,
        }
    return tuple((name, value) for name, value in found.items() if value is not None)


def _rounded(figure: float | None, digits: int) -> float | None:
    return None if figure is None else round(figure, digits)
