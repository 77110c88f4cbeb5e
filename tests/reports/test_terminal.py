from __future__ import annotations

from pytest_llmbench.model.report import Report
from pytest_llmbench.reports.terminal import summary_lines
from tests.reports.conftest import make_report


def test_the_summary_of_a_run_with_everything_in_it(report: Report) -> None:
    assert summary_lines(report, run_folder="/runs/1") == [
        "endpoint                      pplns  zmq  all   95 % of  coverage  tok/s  TTFT s  tokens",
        "new                             1/3  1/2  2/5   12%-77%      100%  100.0   0.250     202",
        "a-model-with-a-name-that-is…    3/3  1/1  4/4  51%-100%       80%  100.0   0.250     202",
        "dead                            0/0  0/0  0/0         -        0%      -       -       -",
        "new: 1 truncated, 1 empty",
        "a-model-with-a-name-that-is-far-too-long: 1 grader_error",
        "dead: 5 infra_error: refused",
        "report: /runs/1/report.json",
    ]


def test_a_run_without_a_sandbox_says_so() -> None:
    assert [line for line in summary_lines(make_report("none"), run_folder="x") if "NO SANDBOX" in line]
