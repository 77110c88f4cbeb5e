from __future__ import annotations

import pytest

from pytest_llmbench.model.report import AnswerPair, CheckChange, Tally
from pytest_llmbench.stats.comparing import compare
from tests.stats.making import checks

OLD = checks("old", zmq=["PPW", "PPW", "PWW", "PPW", "PPW"], pplns=["PP"] * 5)
NEW = checks("new", zmq=["WPW", "WPW", "WPW", "WPW", "WPW"], pplns=["PP"] * 5, must_pass=["zmq/a"])


def test_what_got_worse_what_better_and_what_never_worked() -> None:
    found = compare("new", "old", OLD, NEW, drop=0.2).result
    assert (found.endpoint, found.baseline) == ("new", "old")
    assert (found.pairs, found.answers, found.worse, found.better) == (25, 10, 5, 1)
    assert found.difference == pytest.approx(-4 / 25)
    (regression,) = found.regressions
    assert (regression.suite, regression.check, regression.must_pass) == ("zmq", "a", True)
    assert (regression.before, regression.after) == (Tally(5, 5), Tally(0, 5))
    assert regression.evidence == "a of 1 went wrong"
    assert regression.samples[1] == AnswerPair(
        "completions/old/zmq-s2.json", "completions/new/zmq-s2.json", before_passed=True, after_passed=False
    )
    assert len(regression.samples) == 5
    assert found.fixed == (CheckChange("zmq", "b", Tally(4, 5), Tally(5, 5)),)
    assert found.still_failing == (CheckChange("zmq", "c", Tally(0, 5), Tally(0, 5)),)


def test_its_answers_are_the_evidence_not_its_checks() -> None:
    # Four answers got worse by one check, in one of the five that lost `a` another check got better.
    assert compare("new", "old", OLD, NEW, drop=0.2).result.p_value == 1 / 16


def test_the_interval_holds_the_difference() -> None:
    found = compare("new", "old", OLD, NEW, drop=0.2).result
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low < -4 / 25 < found.high < 1


def test_lost_checks_are_left_out_and_taken_at_their_best_apart() -> None:
    lost = checks("new", zmq=["WPW", "WPW", "WPW", "WPW", "III"], pplns=["PP"] * 5)
    found = compare("new", "old", OLD, lost, drop=0.2)
    assert found.result.pairs == 22
    assert found.coverage == 22 / 25
    assert found.result.p_value is not None
    # Three answers worse by one check, at best one better by one: the lost one could have fixed `c`.
    assert found.result.p_value == 1 / 8
    assert found.p_at_best == 5 / 16


def test_what_is_known_of_a_pair_stays_as_it_is_at_best() -> None:
    lost = checks("old", zmq=["PPW", "PPW", "PWW", "PPW", "IPW"], pplns=["PP"] * 5)
    # Of the last pair only the baseline's verdict is lost; the other one is that it failed.
    assert compare("new", "old", lost, NEW, drop=0.2).p_at_best == 1 / 8


def test_with_nothing_in_common_nothing_is_known() -> None:
    found = compare("new", "old", checks("old", zmq=["P"]), checks("new", pplns=["P"]), drop=0.2)
    assert (found.result.pairs, found.coverage, found.result.p_value) == (0, None, None)
    assert (found.result.difference, found.result.low, found.result.smallest_drop) == (None, None, None)


def test_the_samples_that_are_needed_show_the_drop() -> None:
    few = compare("new", "old", checks("old", s=["PPPP"] * 3), checks("new", s=["PPPP"] * 3), drop=0.2).result
    assert few.smallest_drop is None
    assert few.samples_needed is not None
    again = [["PPPP"] * few.samples_needed, ["PPPP"] * (few.samples_needed + 2)]
    drops = [
        compare("new", "old", checks("old", s=one), checks("new", s=one), drop=0.2).result.smallest_drop
        for one in again
    ]
    assert drops[1] is not None
    assert drops[1] <= 0.2
