"""Figures of one stream, against schedules whose truth is known by hand."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.model.completion import Completion, Exchange, TextChunk, Timing, Usage
from pytest_llmbench.speed.figures import StreamFigures, stream_figures
from tests.speed.schedule import chunked, streamed

NAMES = {each.name for each in fields(StreamFigures)} - {"unknown"}
TIMES = {name for name in NAMES if name.endswith("_s")}


def figures(exchange: Exchange) -> StreamFigures:
    """Read the figures, and hold what is true of all of them."""
    found = stream_figures(exchange)
    assert {name for name in NAMES if getattr(found, name) is None} == set(found.unknown)
    assert all(found.unknown.values())
    decode_tok_s = Completion("e", "s", 1, {}, "", exchange).decode_tok_s
    assert decode_tok_s == (None if found.decode_tok_s is None else pytest.approx(found.decode_tok_s))
    return found


def test_one_token_a_chunk() -> None:
    found = figures(streamed())
    assert found.ttft_s == found.ttft_answer_s == 0.1
    assert found.decode_tok_s == pytest.approx(100)
    assert found.tpot_s == pytest.approx(0.01)
    for gap_s in (found.itl_p50_s, found.itl_p90_s, found.itl_p99_s, found.chunk_gap_p50_s, found.chunk_gap_p99_s):
        assert gap_s == pytest.approx(0.01)
    assert found.e2e_s == pytest.approx(0.1 + 255 * 0.01 + 0.001)
    assert (found.prompt_tokens, found.completion_tokens, found.cached_tokens) == (500, 256, 0)
    assert (found.reasoning_tokens, found.answer_tokens, found.tokens_per_chunk) == (0, 256, 1)
    assert not found.unknown


@pytest.mark.parametrize("says", [False, True])
def test_several_tokens_a_chunk_are_not_slower_and_not_faster(says: bool) -> None:  # noqa: FBT001 (parametrised)
    found = figures(streamed(255, per_chunk=3, says=says))
    assert found.decode_tok_s == pytest.approx(100)
    assert found.itl_p99_s == pytest.approx(0.01)
    assert found.chunk_gap_p50_s == pytest.approx(0.03)
    assert found.tokens_per_chunk == pytest.approx(3)


def test_a_short_last_chunk_is_exact_where_the_server_says_so() -> None:
    found = figures(streamed(256, per_chunk=3, says=True))
    assert found.decode_tok_s == pytest.approx(100)
    assert found.itl_p99_s == pytest.approx(0.01)


def test_gaps_are_weighed_by_the_tokens_that_waited() -> None:
    # Tokens in the reads: 5, 8, 1, 1. Gaps of a token: 10 ms (8 times), 30 ms, 20 ms.
    reads = [(0.1, 5), (0.18, 8), (0.21, 1), (0.23, 1)]
    chunks = [TextChunk(at_s, 4 * count, is_reasoning=False, tokens=count) for at_s, count in reads]
    found = figures(chunked(chunks, usage=Usage(5, 15)))
    assert found.itl_p50_s == pytest.approx(0.01)
    assert found.itl_p90_s == pytest.approx(0.02)
    assert found.itl_p99_s == pytest.approx(0.03)
    assert found.chunk_gap_p50_s == pytest.approx(0.03)
    assert found.decode_tok_s == pytest.approx(10 / 0.13)


def test_a_big_first_chunk_does_not_make_the_rest_faster() -> None:
    chunks = [TextChunk(0.1, 40, is_reasoning=False, tokens=10)]
    chunks += [TextChunk(0.1 + 0.01 * number, 4, is_reasoning=False, tokens=1) for number in range(1, 101)]
    assert figures(chunked(chunks, usage=Usage(5, 110))).decode_tok_s == pytest.approx(100)


def test_chunks_of_the_first_read_are_left_out_together() -> None:
    first = [TextChunk(0.1, 4, is_reasoning=False) for _ in range(10)]
    rest = [TextChunk(0.1 + 0.01 * number, 4, is_reasoning=False) for number in range(1, 101)]
    found = figures(chunked([*first, *rest], usage=Usage(5, 110)))
    assert found.decode_tok_s == pytest.approx(100)
    assert found.chunk_gap_p50_s == pytest.approx(0.01)


def test_the_end_of_an_answer_has_no_text_and_is_no_token_of_the_interval() -> None:
    exchange = streamed(256, says=True)
    counted = replace(exchange, usage=Usage(5, 258))
    assert figures(counted).decode_tok_s == pytest.approx(100)
    assert figures(counted).completion_tokens == 258


def test_reasoning_first() -> None:
    found = figures(streamed(reasoning=128))
    assert found.ttft_s == 0.1
    assert found.ttft_answer_s == pytest.approx(1.38)
    assert found.decode_tok_s == pytest.approx(100)
    assert found.reasoning_tokens is found.answer_tokens is None
    assert found.unknown["reasoning_tokens"] == "the server does not count reasoning apart"


def test_reasoning_and_answer_apart() -> None:
    said = figures(streamed(reasoning=128, says=True))
    assert (said.reasoning_tokens, said.answer_tokens) == (128, 128)
    counted = figures(replace(streamed(reasoning=128), usage=Usage(5, 256, 100)))
    assert (counted.reasoning_tokens, counted.answer_tokens) == (100, 156)


def test_reasoning_only_has_a_rate_but_no_answer() -> None:
    found = figures(streamed(reasoning=256, says=True))
    assert found.ttft_s == 0.1
    assert found.decode_tok_s == pytest.approx(100)
    assert (found.reasoning_tokens, found.answer_tokens) == (256, 0)
    assert found.unknown == {"ttft_answer_s": "reasoning only: no text of the answer came"}


@pytest.mark.parametrize("content", ["<think>yes", "  \n<Think>yes", "yes</think> good"])
def test_reasoning_between_tags_is_not_taken_for_answer(content: str) -> None:
    chunks = [TextChunk(0.1 + 0.1 * place, 1, is_reasoning=False) for place, _ in enumerate(content)]
    exchange = chunked(chunks, usage=Usage(5, 20), content=content)
    timing = replace(exchange.timing, ttft_answer_s=1.2 if "good" in content else None)
    found = figures(replace(exchange, timing=timing))
    assert found.reasoning_tokens is found.answer_tokens is None
    assert "between tags" in found.unknown["answer_tokens"]


def test_white_space_before_an_answer_is_no_reasoning() -> None:
    chunks = [TextChunk(0.1 + 0.1 * place, 1, is_reasoning=False) for place in range(9)]
    exchange = chunked(chunks, usage=Usage(5, 9), content="\n\n then <")
    found = figures(replace(exchange, timing=replace(exchange.timing, ttft_answer_s=0.4)))
    assert (found.reasoning_tokens, found.answer_tokens) == (0, 9)


def test_calls_of_tools_are_tokens() -> None:
    chunks = [TextChunk(0.1 + 0.01 * number, 4, is_reasoning=False) for number in range(101)]
    exchange = chunked(chunks, usage=Usage(5, 101), content="")
    found = figures(replace(exchange, timing=Timing(e2e_s=1.2)))
    assert found.ttft_s == found.ttft_answer_s == 0.1
    assert found.decode_tok_s == pytest.approx(100)


def test_no_usage_is_no_guess() -> None:
    found = figures(streamed(usage=False))
    assert found.ttft_s == 0.1
    assert found.chunk_gap_p99_s == pytest.approx(0.01)
    assert found.decode_tok_s is found.tpot_s is found.itl_p50_s is found.completion_tokens is None
    assert found.unknown["decode_tok_s"] == "the server sent no token counts (usage)"


def test_words_of_each_chunk_do_without_usage() -> None:
    found = figures(streamed(255, per_chunk=3, says=True, usage=False))
    assert found.decode_tok_s == pytest.approx(100)
    assert found.completion_tokens is None


def test_a_server_that_contradicts_itself_is_not_believed() -> None:
    found = figures(replace(streamed(says=True), usage=Usage(5, 100)))
    assert found.decode_tok_s is None
    assert "256 tokens, its usage counts 100" in found.unknown["decode_tok_s"]


def test_a_stall_is_in_the_longest_gap_only() -> None:
    before = [TextChunk(0.1 + 0.01 * number, 4, is_reasoning=False) for number in range(60)]
    after = [TextChunk(0.5 + 0.1 + 0.01 * number, 4, is_reasoning=False) for number in range(60, 80)]
    found = figures(chunked([*before, *after], usage=Usage(5, 80)))
    assert found.itl_p50_s == found.itl_p90_s == pytest.approx(0.01)
    assert found.itl_p99_s == found.chunk_gap_p99_s == pytest.approx(0.51)
    assert found.decode_tok_s == pytest.approx(79 / 1.29)


@pytest.mark.parametrize(
    ("exchange", "unknown", "reason"),
    [
        (Exchange("text"), NAMES, "read from a folder"),
        (Exchange("text", timing=Timing(e2e_s=2.0), usage=Usage(5, 9)), TIMES - {"e2e_s"}, "did not stream"),
        (Exchange("", timing=Timing(e2e_s=2.0), usage=Usage(5, 0)), TIMES - {"e2e_s"}, "no text came"),
        (streamed(20, interval_s=0.002), {"decode_tok_s", "tpot_s"}, "within 50 ms"),
        (streamed(20, per_chunk=20), TIMES - {"ttft_s", "ttft_answer_s", "e2e_s"}, "in one read"),
        (
            replace(streamed(), chunks=()),
            {"itl_p50_s", "itl_p99_s", "chunk_gap_p50_s", "tokens_per_chunk"},
            "were not kept",
        ),
    ],
    ids=["replay", "whole", "nothing", "burst", "one chunk", "no chunks kept"],
)
def test_what_cannot_be_known_is_none_with_its_reason(exchange: Exchange, unknown: set[str], reason: str) -> None:
    found = stream_figures(exchange)
    assert {name for name in NAMES if getattr(found, name) is None} == set(found.unknown)
    assert unknown <= set(found.unknown)
    assert any(reason in found.unknown[name] for name in unknown)


timelines = st.lists(st.integers(1, 200_000), min_size=3, max_size=60)


@given(gaps_us=timelines, data=st.data())
def test_figures_do_not_depend_on_how_a_read_is_cut_into_chunks(gaps_us: list[int], data: Any) -> None:
    times_s = [at / 1e6 for at in accumulate(gaps_us)]
    tokens = [data.draw(st.integers(1, 5)) for _ in times_s]
    whole = [
        TextChunk(at_s, 4 * count, is_reasoning=False, tokens=count)
        for at_s, count in zip(times_s, tokens, strict=True)
    ]
    single = [
        TextChunk(at_s, 4, is_reasoning=False, tokens=1)
        for at_s, count in zip(times_s, tokens, strict=True)
        for _ in range(count)
    ]
    usage = Usage(5, sum(tokens))
    one, other = figures(chunked(whole, usage=usage)), figures(chunked(single, usage=usage))
    for name in NAMES - {"tokens_per_chunk"}:
        assert getattr(one, name) == (None if getattr(other, name) is None else pytest.approx(getattr(other, name))), (
            name
        )


@given(gaps_us=timelines, factor=st.floats(1, 50))
def test_figures_scale_with_time(gaps_us: list[int], factor: float) -> None:
    times_s = [at / 1e6 for at in accumulate(gaps_us)]
    slow = [TextChunk(at_s * factor, 4, is_reasoning=False) for at_s in times_s]
    fast = [TextChunk(at_s, 4, is_reasoning=False) for at_s in times_s]
    usage = Usage(5, len(times_s))
    one, other = figures(chunked(fast, usage=usage)), figures(chunked(slow, usage=usage))
    for name in ("ttft_s", "itl_p50_s", "itl_p90_s", "itl_p99_s", "chunk_gap_p99_s"):
        assert getattr(other, name) == pytest.approx(getattr(one, name) * factor), name
    if one.decode_tok_s is not None:
        assert other.decode_tok_s == pytest.approx(one.decode_tok_s / factor)


@given(gaps_us=timelines)
def test_percentiles_are_in_order_and_among_the_gaps(gaps_us: list[int]) -> None:
    times_s = [at / 1e6 for at in accumulate(gaps_us)]
    chunks = [TextChunk(at_s, 4, is_reasoning=False, tokens=1) for at_s in times_s]
    found = figures(chunked(chunks, usage=Usage(5, len(chunks))))
    assert found.itl_p50_s is not None
    assert found.itl_p90_s is not None
    assert found.itl_p99_s is not None
    assert found.itl_p50_s <= found.itl_p90_s <= found.itl_p99_s
    assert found.itl_p99_s == pytest.approx(max(gaps_us[1:]) / 1e6)  # fewer than 100
