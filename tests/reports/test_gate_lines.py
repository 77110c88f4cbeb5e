from __future__ import annotations

from dataclasses import replace

from pytest_llmbench.model.report import Gate
from pytest_llmbench.reports.gate_lines import MAX_EVIDENCE, gate_lines
from pytest_llmbench.stats.gate import Baseline, judge
from pytest_llmbench.stats.rulings import Bars
from tests.stats.making import checks, report

OLD = report({"old": checks("old", zmq=["PPW", "PPW", "PWW"] * 3)})


def lines_of(answers: list[str], baseline_folder: str | None = "/runs/old") -> list[str]:
    gate = judge(report({"new": checks("new", zmq=answers)}), Bars(), Baseline(OLD))
    return gate_lines(gate, run_folder="/runs/new", baseline_folder=baseline_folder)


def test_without_a_bar_nothing_is_said() -> None:
    assert gate_lines(Gate(None, ()), run_folder="x", baseline_folder=None) == []


def test_what_got_worse_is_told_with_both_answers_then_what_got_better() -> None:
    assert lines_of(["WPW"] * 9) == [
        "gate: NOT MET",
        "  new: 9 worse and 3 better than old, of 27 checks of 9 answers: -22.2 points; chance alone does that in 1.56 % of runs",
        "  new: worse: zmq/a: 9/9 in old, 0/9 now: a of 1 went wrong",
        "    before: /runs/old/completions/old/zmq-s1.json",
        "    now: /runs/new/completions/new/zmq-s1.json",
        "  new: fixed: zmq/b (6/9, now 9/9)",
        "  new: failed before, fail still: zmq/c (0/9, now 0/9)",
    ]


def test_the_answers_that_are_shown_are_of_a_pair_that_got_worse() -> None:
    lines = lines_of(["PPW", "WPW", "WPW"] * 3)
    assert "    now: /runs/new/completions/new/zmq-s2.json" in lines


def test_a_baseline_of_the_same_run_lies_in_the_same_folder() -> None:
    assert "    before: /runs/new/completions/old/zmq-s1.json" in lines_of(["WPW"] * 9, baseline_folder=None)


def test_evidence_is_one_line_and_not_endless() -> None:
    gate = judge(report({"new": checks("new", zmq=["WPW"] * 9)}), Bars(), Baseline(OLD))
    (one,) = gate.comparisons
    regression = one.regressions[0]
    hostile = "pay\x1b[1A\u202edebt\rgate: MET"
    for evidence, shown in (
        ("first\nsecond", "now: first"),
        (hostile, "now: pay\ufffd[1A\ufffddebt"),
        ("x" * 999, "now: " + "x" * (MAX_EVIDENCE - 1) + "…"),
        (None, "now"),
    ):
        changed = replace(one, regressions=(replace(regression, evidence=evidence),))
        lines = gate_lines(Gate(gate.verdict, gate.reasons, (changed,)), run_folder="x", baseline_folder=None)
        assert lines[2].endswith(shown)
