"""How the verdicts are made; that they hold is for a quiet machine, and for `tests/real/test_speed.py`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.server_timings import LENGTHS_TOKENS, Answer, verdicts
from pytest_llmbench.model.completion import Usage
from pytest_llmbench.speed.figures import stream_figures
from tests.speed.schedule import streamed

PREFILL_S = 1e-4
"""Of each prompt token, by the server's word."""


def answer(prompt_n: int = 500, *, cache_n: int = 0, way_s: float = 0.005, slower: float = 1.0) -> Answer:
    """Return 101 tokens, 10 ms apart by the server's word; the client sees the gaps `slower` times as long."""
    ttft_s = prompt_n * PREFILL_S + way_s
    exchange = streamed(101, ttft_s=ttft_s, interval_s=0.01 * slower)
    exchange = replace(exchange, usage=Usage(prompt_n + cache_n, 101, None, cache_n))
    return Answer(stream_figures(exchange), prompt_n, 1e3 * prompt_n * PREFILL_S, 101, 1_000.0, cache_n)


def found(**changed: list[Answer]) -> dict[str, list[Answer]]:
    answers = [answer(tokens) for tokens in LENGTHS_TOKENS]
    return {"alone": answers, "together": answers, "beside": answers, "uncached": answers, **changed}


def test_tokens_are_one_more_than_the_gaps_between_them() -> None:
    assert answer().decode_error == pytest.approx(0, abs=1e-6)
    assert answer(slower=1.01).decode_error == pytest.approx(100 / 1.01 - 100)


def test_what_a_prompt_costs_on_its_way_is_no_error_of_the_rate() -> None:
    decode, together, prefill, beside, cached, uncached = verdicts(found())
    assert all(verdict.is_met for verdict in (decode, together, prefill, beside, cached, uncached))
    assert prefill.figure == pytest.approx(0, abs=1e-6)
    assert "10,000 tok/s; rounds: 1, from +0.00 % to +0.00 %; 5.0 ms of TTFT" in str(prefill)


def test_a_figure_beyond_its_bound_is_said_to_be() -> None:
    slow = [answer(tokens, slower=1.05, way_s=tokens * 5e-6) for tokens in LENGTHS_TOKENS]
    decode, together, prefill, *_ = verdicts(found(alone=slow))
    assert (decode.is_met, together.is_met, prefill.is_met) == (False, True, False)
    assert "-4.76 % (bound 2) OVER" in str(decode)
    assert prefill.figure == pytest.approx(100 / 1.05 - 100)


def test_a_token_from_the_cache_is_too_much_where_the_cache_is_off() -> None:
    *_, cached, uncached = verdicts(found(uncached=[answer(cache_n=1)]))
    assert (cached.is_met, uncached.is_met) == (True, False)
    assert "at most 1 of 501 prompt tokens" in str(uncached)


def test_client_and_server_may_not_differ_in_what_was_cached() -> None:
    wrong = replace(answer(), cache_n=7)
    with pytest.raises(ValueError, match="differ in cached tokens"):
        verdicts(found(uncached=[wrong]))


def test_an_answer_of_one_token_has_no_rate() -> None:
    with pytest.raises(ValueError, match="no decode rate"):
        _ = replace(answer(), predicted_n=1).decode_error
