from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.model.speed import Spread
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.spread import Ratio, agree, fell_twice, ratio, settled, spread
from pytest_llmbench.speed.student import t_95


@pytest.mark.parametrize(
    ("freedom", "table"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (7, 2.365), (10, 2.228), (29, 2.045), (30, 2.042), (1000, 1.962)],
)
def test_quantiles_are_those_of_the_printed_tables(freedom: int, table: float) -> None:
    assert t_95(freedom) == pytest.approx(table, abs=0.0005)


def test_spread_by_hand() -> None:
    found = spread([80.6, 80.5, 74.4])
    assert (found.rounds, found.median, found.min, found.max) == (3, 80.5, 74.4, 80.6)
    assert found.mean == pytest.approx(78.5)
    assert found.stdev == pytest.approx(3.5511, abs=0.0001)
    assert found.low == pytest.approx(78.5 - 4.3027 * 3.5511 / math.sqrt(3), abs=0.001)
    assert found.high == pytest.approx(78.5 + 4.3027 * 3.5511 / math.sqrt(3), abs=0.001)


def test_one_round_has_no_spread() -> None:
    assert spread([80.6]) == Spread(1, 80.6, 80.6, 80.6, 80.6, None, None, None)


def test_the_interval_of_the_mean_holds_it_as_often_as_it_says() -> None:
    random = Random(3)  # noqa: S311 (no secret)
    held = 0
    for _ in range(1000):
        found = spread([random.gauss(100, 5) for _ in range(4)])
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 100 <= found.high
    assert 0.93 <= held / 1000 <= 0.97


def bounds(found: Ratio | Unknown) -> tuple[float, float, float]:
    assert isinstance(found, Ratio)
    assert found.low is not None
    assert found.high is not None
    return found.ratio, found.low, found.high


def test_ratio() -> None:
    assert list(bounds(ratio([110, 110, 110], [100, 100, 100]))) == pytest.approx([1.1, 1.1, 1.1])
    middle, low, high = bounds(ratio([108, 110, 112], [99, 100, 101]))
    assert low < 1.1 < high
    assert middle == pytest.approx(1.1, rel=0.001)
    assert ratio([110], [100, 121]) == Ratio(110 / math.sqrt(100 * 121), None, None)
    assert isinstance(ratio([], [1.0]), Unknown)
    assert isinstance(ratio([0.0, 1.0], [1.0]), Unknown)


def test_rounds_that_overlap_decide_nothing() -> None:
    _, low, high = bounds(ratio([80.6, 80.5, 74.4], [78.0, 81.0, 76.0]))
    assert low < 1 < high


def test_the_interval_of_the_ratio_holds_it_as_often_as_it_says() -> None:
    random = Random(4)  # noqa: S311 (no secret)
    held = 0
    for _ in range(1000):
        ours = [110 * random.lognormvariate(0, 0.05) for _ in range(4)]
        theirs = [100 * random.lognormvariate(0, 0.02) for _ in range(5)]
        _, low, high = bounds(ratio(ours, theirs))
        held += low <= 1.1 <= high
    assert held / 1000 >= 0.94


figures = st.lists(st.floats(0.1, 1e6), min_size=2, max_size=8)


@given(figures, figures)
def test_a_ratio_and_its_inverse_tell_the_same(ours: list[float], theirs: list[float]) -> None:
    middle, low, high = bounds(ratio(ours, theirs))
    assert list(bounds(ratio(theirs, ours))) == pytest.approx([1 / middle, 1 / high, 1 / low])


@given(figures, st.floats(0.001, 1000))
def test_a_spread_scales_with_its_figures(rounds: list[float], factor: float) -> None:
    one, other = spread(rounds), spread([figure * factor for figure in rounds])
    assert other.mean == pytest.approx(one.mean * factor)
    assert one.stdev is not None
    assert other.stdev == pytest.approx(one.stdev * factor, rel=1e-6, abs=1e-9 * factor * one.max)
    assert one.min <= one.median <= one.max


def test_warm_up_has_settled_when_two_in_a_row_agree() -> None:
    assert not settled([])
    assert not settled([50.0])
    assert not settled([50.0, 90.0])
    assert settled([50.0, 90.0, 91.0])
    assert not settled([50.0, 50.0, 91.0])
    assert settled([50.0, 60.0], within=0.2)
    assert agree(100, 95)
    assert not agree(100, 94.9)


@pytest.mark.parametrize(
    ("figures", "over"),
    [
        ([1.0, 2.0, 3.0], False),
        ([3.0, 2.0], False),
        ([3.0, 2.0, 1.0], True),
        ([1.0, 3.0, 2.0, 1.0], True),
        ([3.0, 2.0, 1.0, 2.0], False),
        ([3.0, 2.0, 2.0], False),
        ([3.0, 2.0, None], False),
        ([3.0, None, 1.0], False),
    ],
)
def test_a_sweep_is_over_when_throughput_fell_twice_in_a_row(figures: list[float | None], over: bool) -> None:  # noqa: FBT001 (parametrised)
    assert fell_twice(figures) is over
