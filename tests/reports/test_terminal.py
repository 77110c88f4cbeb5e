from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Gate, Report
from pytest_llmbench.reports.terminal import MAX_REASON, MAX_REASONS, summary_lines
from tests.reports.conftest import make_report


def of_dead(report: Report, *evidence: str | None) -> list[str]:
    """What is said of the endpoint `dead` where its checks ended with this evidence."""
    (check, *_) = [check for check in report.checks if check.outcome is Outcome.INFRA_ERROR]
    report = replace(report, checks=tuple(replace(check, evidence=text) for text in evidence))
    return [line for line in summary_lines(report, run_folder="x") if line.startswith("dead: ")]


def test_the_summary_of_a_run_with_everything_in_it(report: Report) -> None:
    assert summary_lines(report, run_folder="/runs/1", width=120) == [
        "endpoint                                   pplns       zmq       all   95 % CI  coverage  tok/s  TTFT s  tokens",
        "new                                          1/3       1/2       2/5    8-83 %      100%  100.0   0.250     202",
        "a-model-with-a-name-that-is-far-too-long     3/3  1/1 of 2  4/4 of 5  37-100 %       80%  100.0   0.250     202",
        "dead                                      - of 3    - of 2    - of 5         -        0%      -       -       -",
        "",
        "new: 1 truncated: the token limit cut the answer off, see --llm-max-tokens",
        "new: 1 empty: there was no answer, or reasoning only",
        "a-model-with-a-name-that-is-far-too-long: 1 grader_error: refused",
        "dead: 5 infra_error: refused",
        "report: /runs/1/report.json",
    ]


def test_a_narrow_terminal_gets_two_tables(report: Report) -> None:
    assert summary_lines(report, run_folder="/runs/1", width=80)[:9] == [
        "endpoint                                pplns       zmq       all",
        "new                                       1/3       1/2       2/5",
        "a-model-with-a-nam…at-is-far-too-long     3/3  1/1 of 2  4/4 of 5",
        "dead                                   - of 3    - of 2    - of 5",
        "",
        "endpoint                                95 % CI  coverage  tok/s  TTFT s  tokens",
        "new                                      8-83 %      100%  100.0   0.250     202",
        "a-model-with-a-nam…at-is-far-too-long  37-100 %       80%  100.0   0.250     202",
        "dead                                          -        0%      -       -       -",
    ]


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        ("infra_error: http://h/v1: refused", "dead: 1 infra_error: http://h/v1: refused"),
        ("refused\nTraceback …", "dead: 1 infra_error: refused"),
        (None, "dead: 1 infra_error: no reason given"),
        ("x" * 2000, f"dead: 1 infra_error: {'x' * (MAX_REASON - 1)}…"),
    ],
)
def test_a_reason_is_one_line(report: Report, evidence: str | None, told: str) -> None:
    assert of_dead(report, evidence) == [told]


def test_reasons_are_told_once_each_the_most_frequent_first_and_not_without_end(report: Report) -> None:
    seldom = [f"seldom {number}" for number in range(MAX_REASONS + 2)]
    assert of_dead(report, *seldom, "often", "often") == [
        "dead: 2 infra_error: often",
        *(f"dead: 1 infra_error: {reason}" for reason in seldom[: MAX_REASONS - 1]),
        "dead: 3 infra_error: for other reasons, see the report",
    ]


def test_a_sum_with_an_unknown_part_is_unknown(report: Report) -> None:
    first, *others = report.completions
    partly = replace(report, completions=(replace(first, completion_tokens=None), *others))
    assert summary_lines(partly, run_folder="x", width=120)[1].endswith("0.250       -")


def test_a_run_that_recorded_nothing_has_no_table(report: Report) -> None:
    nothing = replace(report, completions=(), checks=(), scores=())
    assert summary_lines(nothing, run_folder="/runs/1") == ["report: /runs/1/report.json"]


def test_a_run_without_a_sandbox_says_so(report: Report) -> None:
    assert [line for line in summary_lines(make_report("none"), run_folder="x") if "NO SANDBOX" in line]
    assert not [line for line in summary_lines(report, run_folder="x") if "NO SANDBOX" in line]


def test_the_verdict_of_the_gate_stands_before_the_place_of_the_report(report: Report) -> None:
    judged = replace(report, gate=Gate("inconclusive", ("new: too little",)))
    assert summary_lines(judged, run_folder="/runs/1")[-3:] == [
        "gate: INCONCLUSIVE",
        "  new: too little",
        "report: /runs/1/report.json",
    ]


def test_answers_that_repeat_themselves_are_told(report: Report) -> None:
    first, second, *others = report.completions
    again = [replace(first, answer_sha256="aa"), replace(first, sample=2, answer_sha256="aa"), second, *others]
    told = "new: answers that came before, word for word, as temperature 0 makes it, count once: pplns 1"
    assert told in summary_lines(replace(report, completions=tuple(again)), run_folder="x")
