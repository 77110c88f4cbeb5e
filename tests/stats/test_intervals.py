from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.stats.intervals import (
    Cluster,
    clustered_interval,
    clusters,
    design_effect,
    difference_interval,
    wilson,
)
from tests.stats.making import checks

ANSWERS = st.lists(
    st.builds(
        lambda suite, passed, failed: Cluster(suite, passed, passed + failed),
        st.sampled_from("abc"),
        st.integers(0, 5),
        st.integers(0, 5),
    ).filter(lambda cluster: cluster.scored > 0),
    min_size=1,
    max_size=12,
)


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_known_intervals(passed: int, total: int, low: float, high: float) -> None:
    assert list(wilson(passed / total, total)) == pytest.approx([low, high], abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_the_rate_lies_inside_and_the_interval_is_symmetric_in_failures(counts: tuple[int, int]) -> None:
    passed, total = counts
    low, high = wilson(passed / total, total)
    assert 0 <= low <= passed / total <= high <= 1
    assert list(wilson((total - passed) / total, total)) == pytest.approx([1 - high, 1 - low])


def test_only_what_was_scored_is_gathered_and_by_answer() -> None:
    found = clusters(checks("new", zmq=["PW", "II", "IP"], pplns=["WWW"]))
    assert sorted(found, key=str) == [Cluster("pplns", 0, 3), Cluster("zmq", 1, 1), Cluster("zmq", 1, 2)]


@given(ANSWERS)
def test_answers_that_share_checks_never_tell_more_than_checks_of_their_own(answers: list[Cluster]) -> None:
    scored, passed = sum(one.scored for one in answers), sum(one.passed for one in answers)
    low, high = clustered_interval(answers)
    alone = wilson(passed / scored, scored)
    assert 0 <= low <= alone[0] + 1e-12
    assert alone[1] - 1e-12 <= high <= 1
    assert low - 1e-12 <= passed / scored <= high + 1e-12


def test_an_answer_to_each_check_is_no_cluster() -> None:
    answers = [Cluster("a", passed, 1) for passed in (1, 1, 1, 0)] * 50
    assert design_effect(answers) == pytest.approx(1, abs=0.01)


def test_checks_that_stand_and_fall_together_count_as_one() -> None:
    answers = [Cluster("a", 5 * (number % 2), 5) for number in range(400)]
    assert design_effect(answers) == pytest.approx(5, rel=0.05)


def test_where_answers_do_not_tell_the_assumption_counts() -> None:
    nothing_failed = [Cluster("a", 2, 2), Cluster("b", 8, 8)]
    assert design_effect(nothing_failed) == 1 + ((4 + 64) / 10 - 1) * 0.5
    assert design_effect([Cluster("a", 4, 8)]) == 1 + 7 * 0.5


def test_what_suites_differ_in_is_no_chance_where_each_was_answered_often() -> None:
    apart = [Cluster("easy", 4, 4), Cluster("hard", 0, 4)] * 20
    mixed = [Cluster("easy", passed, 4) for passed in (4, 0)] * 20
    assert design_effect(apart) < 2 < design_effect(mixed)


@pytest.mark.parametrize("samples", [1, 2, 3, 5, 8, 20])
@pytest.mark.parametrize("is_spread", [True, False])
def test_one_more_failure_never_makes_it_look_better(samples: int, *, is_spread: bool) -> None:
    answers = [Cluster(str(size), size, size) for _ in range(samples) for size in (2, 3, 4, 5, 8)]
    lows = [clustered_interval(answers)[0]]
    for failed in range(3 * samples):
        # Of the suite with eight checks: one of each answer after the other, or all of one answer after the other.
        place = 4 + 5 * (failed % samples if is_spread else failed // 8)
        answers[place] = replace(answers[place], passed=answers[place].passed - 1)
        lows.append(clustered_interval(answers)[0])
    assert lows == sorted(lows, reverse=True)


def test_the_difference_of_two_equal_rates_is_symmetric() -> None:
    side = [Cluster("a", 3, 4), Cluster("b", 2, 4), Cluster("a", 4, 4), Cluster("b", 3, 4)]
    low, high = difference_interval(side, side)
    assert low == pytest.approx(-high)
    assert high > 0.2


def test_the_difference_is_known_where_answers_are_single_checks() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table II, method 10: 56/70 - 48/80; the assumed design effect of answers
    # with one check is 1, the estimated one hardly more.
    before = [Cluster("a", 1, 1)] * 48 + [Cluster("a", 0, 1)] * 32
    after = [Cluster("a", 1, 1)] * 56 + [Cluster("a", 0, 1)] * 14
    assert list(difference_interval(before, after)) == pytest.approx([0.0524, 0.3339], abs=2e-3)


def test_nothing_that_failed_on_either_side_is_no_certainty() -> None:
    side = [Cluster("a", 4, 4)] * 5
    low, high = difference_interval(side, side)
    assert low < -0.1
    assert high > 0.1
