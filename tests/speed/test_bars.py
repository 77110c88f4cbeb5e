"""What a speed test asserts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_llmbench.model.speed import SpeedRow, Spread
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.bars import Bars
from pytest_llmbench.speed.spread import ratio, ratio_of, spread


def row(*, decode_tok_s: Spread | None = None, ttft_s: Spread | None = None, endpoint: str = "new") -> SpeedRow:
    return SpeedRow(
        endpoint=endpoint,
        workload="single-stream",
        concurrency=1,
        depth_tokens=0,
        target_prompt_tokens=512,
        target_answer_tokens=256,
        text="prose",
        rounds=3,
        requests=3,
        failed=0,
        decode_tok_s=decode_tok_s,
        ttft_s=ttft_s,
        unknown={} if decode_tok_s else {"decode_tok_s": "the server sent no token counts (usage)"},
    )


def test_without_bars_nothing_falls_short() -> None:
    assert Bars().shortfalls(row()) == ()


def test_a_figure_on_the_bar_meets_it() -> None:
    bars = Bars(min_tok_s=40.0, max_ttft_s=0.5)
    assert bars.shortfalls(row(decode_tok_s=spread([40.0]), ttft_s=spread([0.5]))) == ()
    short = bars.shortfalls(row(decode_tok_s=spread([39.9]), ttft_s=spread([0.51])))
    assert [text.partition(" is ")[0] for text in short] == ["decode_tok_s", "ttft_s"]


def test_a_figure_that_is_not_known_does_not_meet_a_bar() -> None:
    (short,) = Bars(min_tok_s=40.0).shortfalls(row())
    assert short == "decode_tok_s is not known (the server sent no token counts (usage)); the bar is at least 40"


def test_bars_are_for_a_single_stream() -> None:
    crowded = replace(row(decode_tok_s=spread([1.0])), workload="sweep", concurrency=64)
    assert Bars(min_tok_s=40.0).shortfalls(crowded) == ()


@pytest.mark.parametrize(
    ("now", "falls_short"),
    [
        ([100.0, 101.0, 99.0], False),
        ([97.0, 98.0, 96.0], False),  # less than what is tolerated
        ([80.0, 81.0, 79.0], True),
        ([60.0, 120.0, 60.0], False),  # slower in the mean, but who knows
        ([80.0], False),  # one round proves nothing
        ([130.0, 131.0, 129.0], False),
    ],
)
def test_slower_than_the_baseline_beyond_doubt(now: list[float], falls_short: bool) -> None:  # noqa: FBT001
    bars = Bars(baseline=(row(decode_tok_s=spread([100.0, 100.5, 99.5])),))
    assert bool(bars.shortfalls(row(decode_tok_s=spread(now)))) is falls_short


def test_a_baseline_of_one_endpoint_serves_any_name_and_one_of_many_its_own() -> None:
    fast, slow = spread([100.0, 101.0, 99.0]), spread([50.0, 51.0, 49.0])
    new = row(decode_tok_s=slow)
    assert Bars(baseline=(row(decode_tok_s=fast, endpoint="old"),)).shortfalls(new)
    two = (row(decode_tok_s=fast, endpoint="a"), row(decode_tok_s=fast, endpoint="b"))
    assert not Bars(baseline=two).shortfalls(new)
    assert Bars(baseline=(*two, row(decode_tok_s=fast))).shortfalls(new)
    assert not Bars(baseline=(replace(row(decode_tok_s=fast), target_answer_tokens=128),)).shortfalls(new)


def test_the_ratio_of_spreads_is_close_to_that_of_the_rounds() -> None:
    ours, theirs = [98.0, 101.0, 103.0, 99.5], [80.0, 82.0, 79.0]
    rounds, spreads = ratio(ours, theirs), ratio_of(spread(ours), spread(theirs))
    assert not isinstance(rounds, Unknown)
    assert not isinstance(spreads, Unknown)
    assert spreads.ratio == pytest.approx(rounds.ratio, rel=0.001)
    assert spreads.low == pytest.approx(rounds.low, rel=0.01)
    assert spreads.high == pytest.approx(rounds.high, rel=0.01)
