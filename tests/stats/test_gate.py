from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.report import Gate
from pytest_llmbench.stats.gate import Baseline, judge
from pytest_llmbench.stats.rulings import Bars
from tests.stats.making import answer_row, asked_at, checks, report

Checks = Sequence[Check]
PERCENT_90 = Bars(fail_under=0.9)
GOOD = checks("old", zmq=["PPPPP"] * 10, pplns=["PPPP"] * 10)


def compared(before: Checks, after: Checks, bars: Bars = Bars(), lost: Checks = ()) -> Gate:  # noqa: B008 - frozen
    """Judge `new` against an earlier run of `old`."""
    return judge(report({"new": after}), bars, Baseline(report({"old": before})), lost)


def new(zmq: Sequence[str], pplns: Sequence[str] = ("PPPP",) * 10, must_pass: Sequence[str] = ()) -> Checks:
    return checks("new", zmq=zmq, pplns=pplns, must_pass=must_pass)


def test_where_nothing_was_run_nothing_is_met() -> None:
    nothing = Gate("inconclusive", ("nothing was judged: no check was run that the bars are for",))
    assert judge(report({"new": ()}), PERCENT_90, None) == nothing
    alone = report({"old": GOOD})
    assert judge(alone, Bars(), Baseline(alone, "old")) == nothing


@pytest.mark.parametrize(
    ("answers", "verdict", "says"),
    [
        (["PPPPP"] * 9 + ["WPPPP"], "met", "new: 49 of 50 checks passed, 98 % (95 % interval * to *); the bar is 90 %"),
        (["PPPPP"] * 9 + ["WWWWW"], "met", "new: 45 of 50 checks passed, 90 % *"),
        (["PPPPP"] * 8 + ["WWWWW"] * 2, "not_met", "new: 40 of 50 checks passed, 80 % *"),
    ],
)
def test_the_rate_is_held_against_the_bar(answers: Sequence[str], verdict: str, says: str) -> None:
    gate = judge(report({"new": checks("new", zmq=answers)}), PERCENT_90, None)
    assert gate.verdict == verdict
    pytest.LineMatcher(list(gate.reasons)).fnmatch_lines([says])
    assert gate.comparisons == ()


@pytest.mark.parametrize(
    ("answers", "verdict", "says"),
    [
        (["PPPPP"] * 9 + ["IIIII"], "inconclusive", "only 45 of 50 checks were judged (90 %); the bar is 95 %"),
        (["PPPPP"] * 4 + ["WWWWW"] * 2 + ["IIIII"] * 4, "not_met", "out of reach even if all*had passed"),
        (["PPPPP"] * 8 + ["WWWWW"] + ["IIIII"], "inconclusive", "what was not judged decides"),
        (["IIIII"], "inconclusive", "only 0 of 5 checks were judged (0 %)"),
    ],
)
def test_what_was_not_judged_decides_only_where_it_can(answers: Sequence[str], verdict: str, says: str) -> None:
    gate = judge(report({"new": checks("new", zmq=answers)}), PERCENT_90, None)
    assert gate.verdict == verdict
    pytest.LineMatcher(list(gate.reasons)).fnmatch_lines([f"new: *{says}*"])


def test_checks_that_never_ran_were_not_judged() -> None:
    own = checks("new", zmq=["PPPPP"] * 8)
    lost = checks("new", zmq=["IIIII"] * 10)[40:]
    assert judge(report({"new": own}), PERCENT_90, None).verdict == "met"
    assert judge(report({"new": own}), PERCENT_90, None, lost).verdict == "inconclusive"


def test_the_bar_for_coverage_can_be_set() -> None:
    own = checks("new", zmq=["PPPPP"] * 8 + ["IIIII"] * 2)
    assert judge(report({"new": own}), Bars(fail_under=0.9, min_coverage=0.8), None).verdict == "met"


def test_the_same_quality_is_met_and_says_what_would_have_shown() -> None:
    gate = compared(GOOD, new(["PPPPP"] * 10))
    assert gate.verdict == "met"
    (reason,) = gate.reasons
    assert reason.startswith("new: 0 worse and 0 better than old, of 90 checks of 20 answers: +0.0 points; a drop of ")
    assert len(gate.comparisons) == 1


def test_one_check_that_is_lost_in_every_answer_is_enough() -> None:
    gate = compared(GOOD, new(["WPPPP"] * 10))
    assert gate.verdict == "not_met"
    assert gate.reasons == (
        "new: 10 worse and 0 better than old, of 90 checks of 20 answers: -11.1 points; chance alone does that in 0.1 % of runs",
    )


def test_better_is_met() -> None:
    gate = compared(checks("old", zmq=["WPPPP"] * 10, pplns=["PPPP"] * 10), new(["PPPPP"] * 10))
    assert gate.verdict == "met"
    assert [one.check for one in gate.comparisons[0].fixed] == ["a"]


def test_far_better_is_met_however_few_the_answers_are() -> None:
    gate = compared(checks("old", zmq=["WWWWW"] * 4), checks("new", zmq=["PPPPP"] * 4))
    assert gate.comparisons[0].smallest_drop is None
    assert gate.verdict == "met"
    assert "; a drop of 20 points is ruled out" in gate.reasons[0]


def test_what_failed_before_makes_nothing_red() -> None:
    broken = ["WWWPP"] * 10
    gate = compared(checks("old", zmq=broken, pplns=["PPPP"] * 10), new(broken))
    assert gate.verdict == "met"
    assert len(gate.comparisons[0].still_failing) == 3


def test_too_few_answers_say_how_many_are_needed() -> None:
    gate = compared(checks("old", zmq=["PPPPP"] * 2), checks("new", zmq=["PPPPP"] * 2))
    assert gate.verdict == "inconclusive"
    assert (
        "by so few answers no drop at all could be shown, and 20 points were asked for (--llm-drop); "
        in gate.reasons[0]
    )
    assert f"{gate.comparisons[0].samples_needed} different answers to each suite would be needed" in gate.reasons[0]


def test_a_smaller_drop_takes_more_answers() -> None:
    assert compared(GOOD, new(["PPPPP"] * 10), Bars(drop=0.02)).verdict == "inconclusive"


def test_a_drop_as_large_as_that_which_matters_is_not_waved_through() -> None:
    # Four answers of twenty lost everything: nothing that chance could not do, but not nothing.
    gate = compared(GOOD, new(["WWWWW"] * 4 + ["PPPPP"] * 6), Bars(drop=0.2))
    assert gate.comparisons[0].p_value == 1 / 16
    assert gate.verdict == "inconclusive"
    assert "-22.2 points, but chance alone does that in 6.25 % of runs; 20 different answers " in gate.reasons[0]


def test_of_a_model_that_passes_less_than_the_drop_some_number_of_answers_is_enough() -> None:
    weak = ["P" + "W" * 9] * 2 + ["W" * 10]
    few = compared(checks("old", zmq=weak), checks("new", zmq=weak))
    needed = few.comparisons[0].samples_needed
    assert few.verdict == "inconclusive"
    assert needed is not None
    many = compared(checks("old", zmq=weak * needed), checks("new", zmq=weak * needed))
    assert many.verdict == "met"


def test_half_of_the_answers_lost_is_inconclusive() -> None:
    gate = compared(GOOD, new(["PPPPP"] * 5 + ["IIIII"] * 5, pplns=["PPPP"] * 5 + ["IIII"] * 5))
    assert gate.verdict == "inconclusive"
    assert gate.reasons[0] == "new: only 45 of 90 checks were judged (50 %); the bar is 95 %"
    drop = gate.comparisons[0].smallest_drop
    assert drop is not None
    assert gate.reasons[1].startswith(
        "new: only 50 % of the checks shared with old were judged on both sides; the bar is 95 %; "
    )
    assert gate.reasons[1].endswith(f"; by these no drop of less than {100 * drop:.1f} points could be shown")


def test_so_much_worse_that_the_lost_answers_could_not_save_it() -> None:
    gate = compared(GOOD, new(["WWWWW"] * 9 + ["IIIII"], pplns=["WWWW"] * 9 + ["IIII"]))
    assert gate.verdict == "not_met"


def test_worse_but_the_lost_answers_could_outweigh_it() -> None:
    old = checks("old", zmq=["PWWWW"] * 10)
    gate = compared(old, checks("new", zmq=["WWWWW"] * 5 + ["IIIII"] * 5))
    assert gate.comparisons[0].p_value == 1 / 32
    assert gate.verdict == "inconclusive"
    assert any("what was not judged could outweigh it" in reason for reason in gate.reasons)


def test_answers_lost_by_the_baseline_are_lost_to_the_comparison() -> None:
    old = checks("old", zmq=["PPPPP"] * 8 + ["IIIII"] * 2, pplns=["PPPP"] * 10)
    gate = compared(old, new(["PPPPP"] * 10))
    assert gate.verdict == "inconclusive"
    assert "only 88.9 % of the checks shared with old were judged on both sides" in gate.reasons[0]


def test_nothing_to_compare_is_inconclusive() -> None:
    gate = compared(checks("old", stratum=["P"]), checks("new", zmq=["P"]))
    assert (gate.verdict, gate.reasons) == (
        "inconclusive", ("new: no check was judged both here and in the baseline (old)",),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (["PPPPP"] * 10, ["WPPPP"] + ["PPPPP"] * 9, "not_met"),
        (["WPPPP"] + ["PPPPP"] * 9, ["WPPPP"] + ["PPPPP"] * 9, "met"),
        (["PPPPP"] * 10, ["PWPPP"] + ["PPPPP"] * 9, "met"),
        (["PPPPP"] * 10, ["IPPPP"] * 10, "inconclusive"),
    ],
    ids=["lost", "failed-before", "another", "not-judged"],
)
def test_a_check_that_must_pass_is_no_matter_of_chance(before: Checks, after: Sequence[str], verdict: str) -> None:
    old = checks("old", zmq=before, pplns=["PPPP"] * 10)  # type: ignore[arg-type]
    bars = Bars(min_coverage=0.5)
    marked, named = new(after, must_pass=["zmq/a"]), new(after)
    assert compared(old, marked, bars).verdict == verdict
    assert compared(old, named, replace(bars, must_pass=("zmq/a",))).verdict == verdict


def test_without_a_baseline_any_failure_of_one_that_must_pass_counts() -> None:
    own = checks("new", zmq=["PPPPP"] * 9 + ["WPPPP"], must_pass=["zmq/a"])
    gate = judge(report({"new": own}), PERCENT_90, None)
    assert (gate.verdict, gate.reasons) == ("not_met", ("new: zmq/a must pass: 1 of 10 answers failed",))


def test_a_check_that_must_pass_and_is_not_there_is_inconclusive() -> None:
    gate = judge(report({"new": checks("new", zmq=["P"])}), Bars(fail_under=0.9, must_pass=("zmq/typo",)), None)
    assert (gate.verdict, gate.reasons) == ("inconclusive", ("new: zmq/typo must pass, and was not judged",))


def test_an_endpoint_of_the_same_run_is_compared_with_and_not_judged() -> None:
    run = report(
        {
            "old": checks("old", zmq=["WWPPP"] * 10),
            "new": checks("new", zmq=["WPPPP"] * 10),
            "b": checks("b", zmq=["WWWPP"] * 10),
        }
    )
    gate = judge(run, Bars(fail_under=0.75, drop=0.5), Baseline(run, "old"))
    assert [one.endpoint for one in gate.comparisons] == ["new", "b"]
    assert gate.verdict == "not_met"
    assert all(reason.startswith("b: ") for reason in gate.reasons)
    assert len(gate.reasons) == 2


def test_each_endpoint_is_compared_with_the_one_of_its_name_or_with_the_only_one() -> None:
    before = report({name: checks(name, zmq=["PPPP"] * 9) for name in ("a", "b")})
    gate = judge(report({"b": checks("b", zmq=["PPPP"] * 9)}), Bars(), Baseline(before))
    assert [(one.endpoint, one.baseline) for one in gate.comparisons] == [("b", "b")]
    gate = judge(report({"c": checks("c", zmq=["PPPP"] * 9)}), Bars(), Baseline(before))
    assert gate.verdict == "inconclusive"
    assert gate.reasons == ("c: the baseline has no endpoint of this name, and more than one",)


def test_one_bad_endpoint_makes_it_red_and_good_ones_are_not_told_then() -> None:
    run = report(
        {"a": checks("a", zmq=["PPPP"] * 9), "b": checks("b", zmq=["WPPP"] * 9), "c": checks("c", zmq=["IPPP"] * 9)}
    )
    gate = judge(run, PERCENT_90, None)
    assert gate.verdict == "not_met"
    assert [reason[0] for reason in gate.reasons] == ["b", "c"]


def test_repeated_answers_are_no_evidence() -> None:
    rows = [answer_row("new", "zmq", sample, "aa") for sample in range(1, 11)]
    run = report({"new": checks("new", zmq=["WPPPP"] * 10)}, rows)
    gate = judge(run, Bars(), Baseline(report({"old": checks("old", zmq=["PPPPP"] * 10)})))
    assert gate.comparisons[0].answers == 1
    assert gate.verdict == "inconclusive"


def test_empty_answers_are_as_many_as_came() -> None:
    rows = [answer_row("new", "zmq", sample, f"{sample}" if sample % 2 else "of nothing") for sample in range(1, 17)]
    run = asked_at(0.7, report({"new": checks("new", zmq=["PPPPP", "WWWWW"] * 8)}, rows))
    gate = judge(run, Bars(fail_under=0.75), Baseline(report({"old": checks("old", zmq=["PPPPP"] * 16)})))
    assert gate.verdict == "not_met"
    assert gate.reasons[0].startswith("new: 40 of 80 checks passed, 50 %")
    assert gate.comparisons[0].p_value == 1 / 256
