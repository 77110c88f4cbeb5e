from __future__ import annotations

import math
from typing import Any

import pytest

from pytest_llmbench.model.completion import Exchange, Usage
from pytest_llmbench.model.serverfigures import ServerFigures, beside, own_figures

# What a real llama-server sent for an answer of 50 tokens, its rates included.
LLAMA = {
    "cache_n": 4, "prompt_n": 96, "prompt_ms": 48.0, "prompt_per_token_ms": 0.5, "prompt_per_second": 2000.0,
    "predicted_n": 50, "predicted_ms": 490.0, "predicted_per_token_ms": 10.0, "predicted_per_second": 100.0,
}  # fmt: skip
# The example of vLLM's documentation, for 42 and 128 tokens; its mean is that of 127 intervals, rounded.
VLLM = {
    "time_to_first_token_ms": 85.2, "generation_time_ms": 1155.7, "queue_time_ms": 12.3, "mean_itl_ms": 9.1,
    "tokens_per_second": 103.2,
}  # fmt: skip


def said(sent: dict[str, Any] | None, usage: Usage = Usage()) -> ServerFigures | None:  # noqa: B008 - frozen
    return own_figures(Exchange("x", usage=usage, server_timings=sent))


def test_llama_server() -> None:
    # 50 tokens lie 49 intervals of 10 ms apart; cached tokens took no time and are in no rate.
    assert said(LLAMA) == ServerFigures(ttft_s=0.048, prefill_tok_s=2000.0, decode_tok_s=49 / 490.0 * 1000)


def test_rates_of_llama_server_itself_are_not_believed() -> None:
    # Older versions divide by n, newer ones by n - 1.
    assert said(LLAMA | {"predicted_per_second": 102.04, "prompt_per_second": 1.0}) == said(LLAMA)


def test_vllm() -> None:
    figures = said(VLLM, Usage(prompt_tokens=42, completion_tokens=128, cached_tokens=32))
    assert figures == ServerFigures(
        ttft_s=0.0852,
        queue_s=0.0123,
        prefill_tok_s=10 / 85.2 * 1000,
        decode_tok_s=1 / 9.1 * 1000,
    )


def test_vllm_that_does_not_tell_what_was_cached_tells_no_rate_of_prefill() -> None:
    figures = said(VLLM, Usage(prompt_tokens=42, completion_tokens=128))
    assert figures is not None
    assert figures.prefill_tok_s is None


def test_decode_rate_of_vllm_by_the_whole_interval() -> None:
    partly = {name: value for name, value in VLLM.items() if name != "mean_itl_ms"}
    figures = said(partly, Usage(completion_tokens=128))
    assert figures is not None
    assert figures.decode_tok_s == pytest.approx(127 / 1.1557)
    none = said(partly)
    assert none is not None
    assert none.decode_tok_s is None


@pytest.mark.parametrize(
    "nothing",
    [
        None,
        {},
        {"predicted_per_second": 7.0},
        {"predicted_ms": 0.0, "predicted_n": 0, "prompt_ms": 0.0, "prompt_n": 0},
        {"predicted_ms": 10.0, "predicted_n": 1},
        {"predicted_ms": "7", "predicted_n": None},
        {"predicted_ms": True, "predicted_n": 7},
        {"predicted_ms": -1.0, "predicted_n": 7},
        {"predicted_ms": math.nan, "predicted_n": 7},
        {"predicted_ms": math.inf, "predicted_n": 7},
        {"predicted_ms": 10**400, "predicted_n": 7},
        {"time_to_first_token_ms": None, "mean_itl_ms": None},
    ],
)
def test_what_tells_nothing_is_none_and_never_nought(nothing: dict[str, Any] | None) -> None:
    assert said(nothing) is None


def test_differences_are_shares_of_the_servers_figures() -> None:
    figures = ServerFigures(ttft_s=0.2, queue_s=0.3, decode_tok_s=100.0)
    compared = beside(figures, ttft_s=0.55, decode_tok_s=99.0)
    assert compared.ttft_difference == pytest.approx(0.1), "the wait in the queue is in the client's TTFT"
    assert compared.decode_difference == pytest.approx(-0.01)
    assert beside(ServerFigures(ttft_s=0.5), ttft_s=0.55, decode_tok_s=9.0).ttft_difference == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("figures", "ttft_s", "decode_tok_s"),
    [(ServerFigures(), 0.5, 9.0), (ServerFigures(ttft_s=0.0, decode_tok_s=0.0), 0.5, 9.0),
     (ServerFigures(ttft_s=0.5, decode_tok_s=9.0), None, None)],
)  # fmt: skip
def test_no_difference_where_one_of_both_is_unknown(
    figures: ServerFigures, ttft_s: float | None, decode_tok_s: float | None
) -> None:
    assert beside(figures, ttft_s=ttft_s, decode_tok_s=decode_tok_s) == figures
