"""Rounds of requests, summed up as a row of the report."""

from __future__ import annotations

from dataclasses import fields, replace
from random import Random

import pytest

from pytest_llmbench.model.codec import decode, encode, json_schema
from pytest_llmbench.model.completion import Usage
from pytest_llmbench.model.speed import FIGURES, SpeedRow, Spread
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.goodput import Bounds
from pytest_llmbench.speed.marks import marks
from pytest_llmbench.speed.prompts import passage
from pytest_llmbench.speed.rounds import round_figures
from pytest_llmbench.speed.rows import Aim, speed_row
from pytest_llmbench.speed.window import Flight
from tests.speed.schedule import flight, streamed

PROSE = passage("prose", "seed", 1, 2_000)
AIM = Aim("e", "single", target_prompt_tokens=500, target_answer_tokens=256, text="prose")


def alone(interval_s: float = 0.01, ttft_s: float = 0.1, prompt_tokens: int = 500) -> Flight:
    exchange = streamed(interval_s=interval_s, ttft_s=ttft_s, prompt_tokens=prompt_tokens, content=PROSE)
    return flight(50.0, exchange)


def mean(figure: Spread | None) -> float:
    assert figure is not None
    return figure.mean


def test_a_row_of_single_streams() -> None:
    row = speed_row(AIM, [[alone(0.010)], [alone(0.008)], [alone(0.0125)]])
    assert (row.endpoint, row.workload, row.concurrency, row.depth_tokens, row.text) == ("e", "single", 1, 0, "prose")
    assert (row.rounds, row.requests, row.failed, row.transport) == (3, 3, 0, "recorder")
    assert row.decode_tok_s is not None
    assert row.decode_tok_s.rounds == 3
    assert row.decode_tok_s.median == pytest.approx(100)
    assert row.decode_tok_s.mean == pytest.approx((100 + 125 + 80) / 3)
    assert row.decode_tok_s.low is not None
    assert row.decode_tok_s.low < 80
    assert mean(row.ttft_s) == pytest.approx(0.1)
    assert mean(row.cached_tokens) == 0
    assert row.unknown == {
        "ttft_p99_s": "a round is a single request",
        "prefill_tok_s": "1 different prompt lengths, 3 are needed for a slope",
        "prefill_fixed_s": "1 different prompt lengths, 3 are needed for a slope",
        "goodput_share": "no bounds were set (--llm-goodput)",
        "goodput_rate_s": "no bounds were set (--llm-goodput)",
    }
    assert row.marks == {}


def test_figures_that_are_none_have_a_reason_and_no_others() -> None:
    for row in (
        speed_row(AIM, [[alone()]]),
        speed_row(AIM, []),
        speed_row(AIM, [[Flight(50.0, 51.0, None)]]),
        speed_row(replace(AIM, concurrency=2, bounds=Bounds(0.2, 0.02)), [[alone(), alone()]]),
        speed_row(replace(AIM, concurrency=None), [[flight(50.0, streamed(usage=False))]]),
    ):
        assert set(row.unknown) == {name for name in FIGURES if getattr(row, name) is None}
        assert all(row.unknown.values())


def test_a_figure_that_some_rounds_do_not_show_says_how_many_do() -> None:
    row = speed_row(AIM, [[alone()], [flight(50.0, streamed(usage=False))]])
    assert row.decode_tok_s is not None
    assert row.decode_tok_s.rounds == 1
    assert row.rounds == 2
    assert row.ttft_s is not None
    assert row.ttft_s.rounds == 2


def test_many_streams() -> None:
    random = Random(5)  # noqa: S311 (no secret)
    together = [alone(0.010, 0.1 + number / 100) for number in range(64)]
    random.shuffle(together)
    row = speed_row(replace(AIM, concurrency=64, bounds=Bounds(max_ttft_s=0.2)), [together])
    assert mean(row.ttft_s) == pytest.approx(0.415)
    assert mean(row.ttft_p99_s) == pytest.approx(0.73)
    assert mean(row.decode_tok_s) == pytest.approx(100)
    assert mean(row.itl_p99_s) == pytest.approx(0.01)
    assert mean(row.decode_throughput_tok_s) == pytest.approx(6_400, rel=0.01)
    assert mean(row.goodput_share) == pytest.approx(11 / 64)
    assert row.unknown["prefill_tok_s"].startswith("TTFT holds the wait")


def test_gaps_are_those_of_all_tokens_not_of_the_middle_stream() -> None:
    # One stream of ten is slow: the median of their 99th percentiles would not show it.
    found = round_figures([alone(0.010)] * 9 + [alone(0.050)], 10)
    assert found["itl_p50_s"] == pytest.approx(0.01)
    assert found["itl_p99_s"] == pytest.approx(0.05)


def test_prefill_needs_rounds_of_several_lengths() -> None:
    lengths = [alone(ttft_s=0.05 + tokens / 10_000, prompt_tokens=tokens) for tokens in (512, 2_048, 8_192)]
    row = speed_row(AIM, [lengths, lengths])
    assert mean(row.prefill_tok_s) == pytest.approx(10_000)
    assert mean(row.prefill_fixed_s) == pytest.approx(0.05)


def test_one_stream_without_counts_leaves_the_round_without() -> None:
    found = round_figures([alone(), flight(50.0, streamed(usage=False))], 2)
    assert found["decode_tok_s"] == Unknown("1 of 2 answers: the server sent no token counts (usage)")
    assert found["itl_p99_s"] == Unknown("the server sent no token counts (usage)")
    assert found["ttft_s"] == pytest.approx(0.1)


def test_marks() -> None:
    sound = flight(50.0, streamed(content=PROSE))
    assert marks([sound], 256, cached_on_purpose=False) == {}
    cached = flight(50.0, streamed(content=PROSE, cached_tokens=400))
    assert marks([cached], 256, cached_on_purpose=True) == {}
    looping = flight(50.0, streamed(content="again " * 256))
    reasoning = flight(50.0, replace(streamed(content=""), reasoning=PROSE))
    short = flight(50.0, streamed(20, content=PROSE[:80], finish_reason="stop"))
    found = marks([sound, cached, looping, reasoning, short, Flight(50.0, 51.0, None)], 256, cached_on_purpose=False)
    assert found == {
        "failed-requests": "1 of 6 requests brought no whole answer",
        "degenerate": "1 of 5 answers: 100% of the text is loops, such as 'again ' 256 times on end",
        "cached": "1 of 5 answers: 400 of 500 prompt tokens came from the server's cache",
        "short-answers": "1 of 5 answers: 20 tokens instead of 256 (finish reason stop)",
    }


def test_reasoning_that_loops_is_marked_as_well() -> None:
    looping = flight(50.0, replace(streamed(content=PROSE[:60]), reasoning="wait, " * 300))
    assert "degenerate" in marks([looping], None, cached_on_purpose=False)


def test_the_beginning_of_a_chat_template_may_come_from_a_cache() -> None:
    template = flight(50.0, streamed(content=PROSE, prompt_tokens=2_000, cached_tokens=12))
    assert marks([template], None, cached_on_purpose=False) == {}


def test_marks_that_the_answers_do_not_show_are_the_callers() -> None:
    assert speed_row(AIM, [[alone()]], {"client-limited": "loop lag 12 ms"}).marks == {
        "client-limited": "loop lag 12 ms"
    }


def test_times_of_two_kinds_are_told() -> None:
    other = flight(50.0, replace(streamed(), transport="httpx"))
    assert speed_row(AIM, [[alone()], [other]]).transport == "mixed"
    assert speed_row(AIM, [[other]]).transport == "httpx"
    assert speed_row(AIM, [[Flight(50.0, 51.0, None)]]).transport is None


def test_a_row_can_be_written_and_read_back() -> None:
    row = speed_row(AIM, [[alone()], [alone(0.02)]], {"unsettled": "why"})
    assert decode(encode(row), SpeedRow) == row


def test_the_schema_says_what_each_field_is() -> None:
    schema = json_schema(SpeedRow)
    for record in (SpeedRow, Spread):
        properties = schema["$defs"][record.__name__]["properties"]
        assert set(properties) == {each.name for each in fields(record)}
        assert all(about["description"] for about in properties.values())
    assert set(FIGURES) >= {"ttft_s", "decode_tok_s", "itl_p99_s", "throughput_tok_s", "goodput_share", "cached_tokens"}


def test_a_usage_of_nothing_is_not_short_but_unknown() -> None:
    silent = flight(50.0, replace(streamed(content=PROSE), usage=Usage()))
    assert marks([silent], 256, cached_on_purpose=False) == {}
