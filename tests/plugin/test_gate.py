"""The gate as a CI job sees it: real runs of pytest over recorded answers, their exit codes, and what the log says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.gating import exit_status
from pytest_llmbench.keeping import suite_row
from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.model.report import Gate, Report
from pytest_llmbench.options import read_settings
from pytest_llmbench.stats.gate import Bars, Baseline, judge
from pytest_llmbench.suite import load_suite
from tests.plugin.conftest import RIGHT, WRONG, Demo
from tests.stats import making

MET, NOT_MET, INCONCLUSIVE = 0, 1, 8
HALF = "```python pay.py\nfrom decimal import Decimal\n```\n"
"""Exact, but nobody is paid."""
SAMPLES = 16


class Story:
    """The small suite, asked sixteen times in each run."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo

    def record(self, name: str, answers: Sequence[str | None]) -> str:
        """Record answers, each different by a word; None: none came. Returns the option that names the endpoint."""
        folder = self.demo.pytester.path / "recorded" / name
        folder.mkdir(parents=True)
        for sample, answer in enumerate(answers, 1):
            if answer is not None:
                (folder / f"demo-s{sample}.md").write_text(f"{answer}\nTry {sample}.\n")
        return f"--llm-endpoint={name}=replay:{folder}"

    def baseline(self, *names: str, **changed: Any) -> str:
        """Write the report of an earlier run in which every check of every endpoint passed; returns the option for it."""
        report = making.report({name: making.checks(name, demo=["P"] * SAMPLES) for name in names})
        checks = [replace(check, check="pays") for check in report.checks]
        suites = (suite_row(load_suite(self.demo.folder)),)
        report = replace(report, **{"checks": tuple(checks), "suites": suites} | changed)
        (self.demo.pytester.path / "earlier.json").write_bytes(encode(report))
        return "--llm-baseline=earlier.json"

    def run(self, *args: str) -> pytest.RunResult:
        return self.demo.run(f"--llm-samples={SAMPLES}", "--llm-drop=40", "--tb=no", "-q", *args)

    def refused(self, *args: str) -> str:
        """Run what is refused before anybody is asked; returns the one line that says why."""
        result = self.run(*args)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert not (self.demo.out / "report.json").exists()
        (line,) = [line for line in result.errlines if line.strip()]
        assert line.startswith("ERROR: --llm-baseline=")
        return line

    def keep(self, name: str) -> str:
        """Keep the run as a baseline; returns the option that names it."""
        self.demo.out.rename(self.demo.pytester.path / name)
        return f"--llm-baseline={name}"

    def gate(self) -> Any:
        return self.demo.report()["gate"]


@pytest.fixture
def story(demo: Demo) -> Story:
    return Story(demo)


def told(result: pytest.RunResult) -> list[str]:
    """What the log says of the gate."""
    lines = result.outlines
    return lines[next(number for number, line in enumerate(lines) if line.startswith("gate: ")) :]


def test_the_story_of_an_upgrade(story: Story) -> None:
    (story.demo.pytester.path / "conftest.py").write_text(
        "import sys\n\ndef pytest_unconfigure():\n    print('imported:', sorted({'numpy', 'scipy'} & set(sys.modules)))\n"
    )
    # The old model never gets a pay-out exact in every fourth try, and that is known.
    usual = [WRONG if sample % 4 == 0 else RIGHT for sample in range(SAMPLES)]
    first = story.run(story.record("model", usual), "--llm-fail-under=75")
    assert first.ret == MET
    first.assert_outcomes(passed=28, failed=4)
    pytest.LineMatcher(told(first)).fnmatch_lines(
        ["gate: MET", "  model: 28 of 32 checks passed, 87.5 % (95 % interval * to *); the bar is 75 %", "imported: []"]
    )
    baseline = story.keep("before")

    def upgrade(name: str, answers: Sequence[str | None], *args: str) -> pytest.RunResult:
        return story.run(story.record(name, answers), baseline, *args)

    worse = upgrade("worse", [WRONG] * SAMPLES, "-n2")
    assert worse.ret == NOT_MET
    pytest.LineMatcher(told(worse)).fnmatch_lines(
        [
            "gate: NOT MET",
            "  worse: 12 worse and 0 better than model, of 32 checks of 16 answers: -37.5 points; chance alone does that in 0.02 % of runs",
            "  worse: worse: demo/exact: 12/16 in model, 0/16 now: AssertionError: payout 17 was 1 satoshi short*",
            "    before: */before/completions/model/demo-s2.json",
            "    now: */out/completions/worse/demo-s2.json",
        ]
    )

    same = upgrade("same", usual[1:] + usual[:1])
    assert same.ret == MET
    same.assert_outcomes(passed=28, failed=4)
    pytest.LineMatcher(told(same)).fnmatch_lines(
        [
            "gate: MET",
            "  same: 4 worse and 4 better than model, of 32 checks of 16 answers: +0.0 points; a drop of * would have shown",
            "imported: ['numpy', 'scipy']",
        ]
    )

    better = upgrade("better", [RIGHT] * SAMPLES)
    assert better.ret == MET
    pytest.LineMatcher(told(better)).fnmatch_lines(
        ["gate: MET", "  better: 0 worse and 4 better than model*", "  better: fixed: demo/exact (12/16, now 16/16)"]
    )

    cut_off = upgrade("cut-off", [answer if sample % 2 else None for sample, answer in enumerate(usual)], "-n2")
    assert cut_off.ret == INCONCLUSIVE
    cut_off.assert_outcomes(passed=16, errors=16)
    pytest.LineMatcher(told(cut_off)).fnmatch_lines(
        [
            "gate: INCONCLUSIVE",
            "  cut-off: only 16 of 32 checks were judged (50 %); the bar is 95 %",
            "  cut-off: only 50 % of the checks shared with model were judged on both sides; the bar is 95 %; by these *",
        ]
    )
    assert story.gate()["verdict"] == "inconclusive"


def test_two_endpoints_of_one_run_are_compared_by_name(story: Story) -> None:
    specs = story.record("old", [RIGHT] * SAMPLES), story.record("new", [HALF] * SAMPLES)
    result = story.run(*specs, "--llm-baseline=old", "--llm-report=json:copy.json")
    assert result.ret == NOT_MET
    (comparison,) = story.gate()["comparisons"]
    assert (comparison["endpoint"], comparison["baseline"], comparison["worse"]) == ("new", "old", SAMPLES)
    (regression,) = comparison["regressions"]
    assert (regression["suite"], regression["check"]) == ("demo", "pays")
    for pair in regression["samples"]:
        assert (story.demo.out / pair["before"]).exists()
        assert (story.demo.out / pair["after"]).exists()
    copy = (story.demo.pytester.path / "copy.json").read_bytes()
    assert json.loads(copy)["gate"] == story.gate()
    report = decode(copy, Report)
    assert judge(report, Bars(drop=0.4), Baseline(report, "new")).verdict == "met"


def test_without_a_bar_nothing_changes(story: Story) -> None:
    result = story.run(story.record("new", [RIGHT, *[WRONG] * 15]))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert story.gate() == {"verdict": None, "reasons": [], "comparisons": []}
    assert not [line for line in result.outlines if line.startswith("gate")]
    (suite,) = story.demo.report()["suites"]
    assert (suite["name"], suite["title"], suite["difficulty"]) == ("demo", "Payouts", "easy")
    assert [row["difficulty"] for row in story.demo.report()["check_scores"]] == ["easy", "easy"]


def test_other_tests_that_fail_are_not_forgiven(story: Story) -> None:
    (story.demo.folder / "test_else.py").write_text("def test_mine(): assert False\n")
    result = story.run(story.record("new", [RIGHT] * 14 + [WRONG] * 2), "--llm-fail-under=80")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert told(result)[0] == "gate: MET"


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_tests_that_could_not_be_collected_are_not_forgiven(story: Story, workers: str) -> None:
    spec = story.record("new", [RIGHT] * SAMPLES)
    (story.demo.folder / "test_else.py").write_text("import no_such_module\n")
    result = story.run(spec, "--llm-fail-under=80", "--continue-on-collection-errors", workers)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert told(result)[0] == "gate: MET"


def test_a_run_that_stopped_at_the_first_failure_judged_too_little(story: Story) -> None:
    result = story.run(story.record("new", [WRONG] + [RIGHT] * 15), "--llm-fail-under=50", "-x")
    assert result.ret == INCONCLUSIVE
    assert told(result)[1] == "  new: only 2 of 32 checks were judged (6.2 %); the bar is 95 %"


def test_a_skipped_check_is_not_waited_for(story: Story) -> None:
    with (story.demo.folder / "test_demo.py").open("a") as file:
        file.write("\n@pytest.mark.skip(reason='today')\ndef test_later(observe: Observe) -> None: ...\n")
    assert story.run(story.record("new", [RIGHT] * SAMPLES), "--llm-fail-under=90").ret == MET


def test_where_all_checks_are_skipped_the_bar_is_not_met(story: Story) -> None:
    with (story.demo.folder / "test_demo.py").open("a") as file:
        file.write("\npytestmark = pytest.mark.skip(reason='no GPU today')\n")
    result = story.run(story.record("new", [RIGHT] * SAMPLES), "--llm-fail-under=90")
    assert result.ret == INCONCLUSIVE
    assert told(result)[:2] == ["gate: INCONCLUSIVE", "  nothing was judged: no check was run that the bars are for"]


def test_a_check_that_must_pass_is_marked_or_named(story: Story) -> None:
    path = story.demo.folder / "test_demo.py"
    path.write_text(path.read_text().replace("@pytest.mark.money", "@pytest.mark.must_pass"))
    story.demo.add_check("read")
    spec = story.record("new", [RIGHT] * 14 + [WRONG, HALF])
    result = story.run(spec, "--llm-fail-under=50", "--llm-must-pass=demo/pays", "-n2")
    assert result.ret == NOT_MET
    assert told(result)[1:3] == [
        "  new: demo/exact must pass: 1 of 16 answers failed",
        "  new: demo/pays must pass: 1 of 16 answers failed",
    ]
    marked = {row["check"]: row["must_pass"] for row in story.demo.report()["check_scores"]}
    assert marked == {"exact": True, "pays": True, "read": False}


def test_equal_answers_are_one_answer(story: Story) -> None:
    folder = story.demo.pytester.path / "recorded" / "new"
    folder.mkdir(parents=True)
    (folder / "demo.md").write_text(RIGHT)
    result = story.run(f"--llm-endpoint=new=replay:{folder}", "--llm-fail-under=90")
    assert result.ret == MET
    assert "new: answers that came before, word for word, count once: demo 15" in result.outlines
    (score,) = [row for row in story.demo.report()["scores"] if row["suite"] is None]
    assert (score["scored"], score["completions"], score["coverage"]) == (2, 1, 1.0)


@pytest.mark.parametrize(
    ("verdict", "code"), [("met", MET), ("not_met", NOT_MET), ("inconclusive", INCONCLUSIVE), (None, None)]
)
def test_the_gate_decides_how_pytest_ends_unless_that_ends_for_a_reason_of_its_own(
    verdict: Any, code: int | None
) -> None:
    gate = Gate(verdict, ())
    for status in pytest.ExitCode:
        is_ours = status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        assert exit_status(gate, status) == (code if is_ours and code is not None else status)


def test_where_no_test_was_found_pytest_says_so(story: Story) -> None:
    spec = story.record("new", [RIGHT] * SAMPLES)
    assert story.run(spec, "--llm-fail-under=90", "-k", "nothing").ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize(
    ("name", "change", "says", "workers"),
    [
        (
            "prompts",
            ("prompt.md", "Payouts are wrong.\n\n{{program}}\n"),
            "demo: the letter is another one (prompts)",
            ("-n0", "-n2"),
        ),
        (
            "suites",
            ("suite.yaml", "title: Payouts\ndifficulty: hard\n"),
            "demo: the judge is another one (suites)",
            ("-n2", "-n0"),
        ),
    ],
)
def test_another_letter_or_judge_is_refused_unless_it_is_allowed(
    story: Story, name: str, change: tuple[str, str], says: str, workers: tuple[str, str]
) -> None:
    spec, baseline = story.record("new", [RIGHT] * SAMPLES), story.baseline("old")
    story.demo.write(*change)
    line = story.refused(spec, baseline, workers[0])
    assert says in line
    assert line.endswith(f"allow it: --llm-allow-different={name}")
    assert story.run(spec, baseline, workers[1], f"--llm-allow-different={name}").ret == MET


def test_another_sampling_is_refused_before_anybody_is_asked(story: Story) -> None:
    nobody = "--llm-endpoint=new=http://127.0.0.1:9/v1#m"
    line = story.refused(nobody, story.baseline("new"), "--llm-temperature=0.7")
    assert ": new: temperature was 0.0, is 0.7 (sampling); " in line


def test_endpoints_of_one_run_that_are_sampled_differently_are_refused(story: Story) -> None:
    url = "url: http://127.0.0.1:9/v1, model: m"
    (story.demo.pytester.path / "models.yaml").write_text(
        f"endpoints:\n  old: {{{url}}}\n  new: {{{url}, extra_body: {{top_k: 1}}}}\n"
    )
    line = story.refused("--llm-endpoint=old", "--llm-endpoint=new", "--llm-baseline=old")
    assert "=old: cannot be compared: new: top_k was not sent, is 1 (sampling); " in line


def test_an_endpoint_that_none_of_several_is_named_like_is_refused(story: Story) -> None:
    line = story.refused(story.record("c", [RIGHT]), story.baseline("a", "b"))
    assert ": has a, b, and with which of them c is to be compared is not known; " in line


def test_an_older_report_is_refused_as_it_does_not_say(story: Story) -> None:
    line = story.refused(story.record("new", [RIGHT] * SAMPLES), story.baseline("new", suites=()))
    assert "is not known, as the baseline's report does not say (prompts); " in line
    assert line.endswith("allow it: --llm-allow-different=prompts --llm-allow-different=suites")


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("baseline", "nowhere.json", "wanted a report.json or a run folder, or one of the endpoints reference: "),
        ("baseline", ".", "wanted a report.json or a run folder, or one of the endpoints reference: "),
        ("baseline", "reference", "is the only endpoint; name another one "),
        ("fail-under", "0", "wanted more than 0 and at most 100"),
        ("fail-under", "101", "wanted more than 0 and at most 100"),
        ("drop", "nan", "wanted more than 0 and at most 100"),
        ("min-coverage", "-1", "wanted more than 0 and at most 100"),
        ("must-pass", "byte_order", "wanted SUITE/CHECK, the check without test_"),
        ("must-pass", "stratum/test_byte_order", "wanted SUITE/CHECK, the check without test_"),
        ("allow-different", "model", "wanted one of: prompts, suites, sampling"),
    ],
)
def test_a_mistake_is_told(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, option: str, value: str, says: str
) -> None:
    is_repeatable = option in ("must-pass", "allow-different")
    monkeypatch.setattr(pytestconfig.option, f"llm_{option.replace('-', '_')}", [value] if is_repeatable else value)
    with pytest.raises(UsageFault, match=f"^--llm-{option}={value}: {says}"):
        read_settings(pytestconfig)


def test_a_mistake_is_told_in_one_line(demo: Demo) -> None:
    result = demo.run("--llm-baseline=nowhere.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in result.errlines if line.strip()]
    assert line.startswith("ERROR: --llm-baseline=nowhere.json: wanted a report.json or a run folder")
