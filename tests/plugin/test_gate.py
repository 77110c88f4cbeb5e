"""The gate as a CI job sees it: real runs of pytest over recorded answers, their exit codes, and what the log says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import RIGHT, WRONG, Demo

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

    def run(self, *args: str) -> pytest.RunResult:
        return self.demo.run(f"--llm-samples={SAMPLES}", "--llm-drop=40", "--tb=no", "-q", *args)

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


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_the_story_of_an_upgrade(story: Story, workers: str) -> None:
    # The old model never gets a pay-out exact in every fourth try, and that is known.
    usual = [WRONG if sample % 4 == 0 else RIGHT for sample in range(SAMPLES)]
    first = story.run(story.record("model", usual), "--llm-fail-under=75", workers)
    assert first.ret == MET
    first.assert_outcomes(passed=28, failed=4)
    pytest.LineMatcher(told(first)).fnmatch_lines(
        ["gate: MET", "  model: 28 of 32 checks passed, 87.5 % (95 % interval * to *); the bar is 75 %"]
    )
    baseline = story.keep("before")

    def upgrade(name: str, answers: Sequence[str | None]) -> pytest.RunResult:
        return story.run(story.record(name, answers), baseline, workers)

    worse = upgrade("worse", [WRONG] * SAMPLES)
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
        ]
    )

    better = upgrade("better", [RIGHT] * SAMPLES)
    assert better.ret == MET
    pytest.LineMatcher(told(better)).fnmatch_lines(
        ["gate: MET", "  better: 0 worse and 4 better than model*", "  better: fixed: demo/exact (12/16, now 16/16)"]
    )

    cut_off = upgrade("cut-off", [answer if sample % 2 else None for sample, answer in enumerate(usual)])
    assert cut_off.ret == INCONCLUSIVE
    cut_off.assert_outcomes(passed=16, errors=16)
    pytest.LineMatcher(told(cut_off)).fnmatch_lines(
        ["gate: INCONCLUSIVE", "  cut-off: only 16 of 32 checks were judged (50 %); the bar is 95 %"]
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
    assert json.loads((story.demo.pytester.path / "copy.json").read_text())["gate"] == story.gate()
    assert story.run(*specs, "--llm-baseline=new").ret == MET


def test_without_a_bar_nothing_changes(story: Story) -> None:
    result = story.run(story.record("new", [RIGHT, *[WRONG] * 15]))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert story.gate() == {"verdict": None, "reasons": [], "comparisons": []}
    assert not [line for line in result.outlines if line.startswith("gate")]


def test_what_was_asked_is_in_the_report(story: Story) -> None:
    story.run(story.record("new", [RIGHT] * SAMPLES))
    (suite,) = story.demo.report()["suites"]
    assert (suite["name"], suite["title"], suite["difficulty"]) == ("demo", "Payouts", "easy")
    assert [row["difficulty"] for row in story.demo.report()["check_scores"]] == ["easy", "easy"]


def test_other_tests_that_fail_are_not_forgiven(story: Story) -> None:
    spec = story.record("new", [RIGHT] * 14 + [WRONG] * 2)
    assert story.run(spec, "--llm-fail-under=80").ret == MET
    (story.demo.folder / "test_else.py").write_text("def test_mine(): assert False\n")
    result = story.run(spec, "--llm-fail-under=80")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert told(result)[0] == "gate: MET"


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_tests_that_could_not_be_collected_are_not_forgiven(story: Story, workers: str) -> None:
    spec = story.record("new", [RIGHT] * SAMPLES)
    (story.demo.folder / "test_else.py").write_text("import no_such_module\n")
    result = story.run(spec, "--llm-fail-under=80", "--continue-on-collection-errors", workers)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert told(result)[0] == "gate: MET"
    assert story.run(spec, "--llm-fail-under=80").ret == pytest.ExitCode.INTERRUPTED


def test_a_run_that_stopped_at_the_first_failure_judged_too_little(story: Story) -> None:
    result = story.run(story.record("new", [WRONG] + [RIGHT] * 15), "--llm-fail-under=50", "-x")
    assert result.ret == INCONCLUSIVE
    assert told(result)[1] == "  new: only 2 of 32 checks were judged (6.2 %); the bar is 95 %"


def test_a_skipped_check_is_not_waited_for(story: Story) -> None:
    with (story.demo.folder / "test_demo.py").open("a") as file:
        file.write("\n@pytest.mark.skip(reason='today')\ndef test_later(observe: Observe) -> None: ...\n")
    assert story.run(story.record("new", [RIGHT] * SAMPLES), "--llm-fail-under=90").ret == MET


@pytest.mark.parametrize("how", ["marker", "option"])
def test_a_check_that_must_pass(story: Story, how: str) -> None:
    args = ["--llm-must-pass=demo/exact"] if how == "option" else []
    if how == "marker":
        path = story.demo.folder / "test_demo.py"
        path.write_text(path.read_text().replace("@pytest.mark.money", "@pytest.mark.must_pass"))
    spec = story.record("new", [RIGHT] * 15 + [WRONG])
    result = story.run(spec, "--llm-fail-under=50", *args, "-n2")
    assert result.ret == NOT_MET
    assert told(result)[1] == "  new: demo/exact must pass: 1 of 16 answers failed"
    marked = {row["check"]: row["must_pass"] for row in story.demo.report()["check_scores"]}
    assert marked == {"exact": True, "pays": False}


def test_equal_answers_are_one_answer(story: Story) -> None:
    folder = story.demo.pytester.path / "recorded" / "new"
    folder.mkdir(parents=True)
    (folder / "demo.md").write_text(RIGHT)
    result = story.run(f"--llm-endpoint=new=replay:{folder}", "--llm-fail-under=90")
    assert result.ret == MET
    assert "new: answers that came before, word for word, count once: demo 15" in result.outlines
    (score,) = [row for row in story.demo.report()["scores"] if row["suite"] is None]
    assert (score["scored"], score["completions"], score["coverage"]) == (2, 1, 1.0)


def test_an_exit_code_of_pytest_itself_stays(story: Story) -> None:
    spec = story.record("new", [RIGHT] * SAMPLES)
    assert story.run(spec, "--llm-fail-under=90", "-k", "nothing").ret == pytest.ExitCode.NO_TESTS_COLLECTED


BASELINE = "ERROR: --llm-baseline="


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("prompts", ("prompt.md", "Payouts are wrong.\n\n{{program}}\n"), "demo: the letter is another one (prompts)"),
        ("suites", ("suite.yaml", "title: Payouts\ndifficulty: hard\n"), "demo: the judge is another one (suites)"),
    ],
)
def test_another_letter_or_judge_is_refused_unless_it_is_allowed(
    story: Story, workers: str, name: str, change: tuple[str, str], says: str
) -> None:
    spec = story.record("new", [RIGHT] * SAMPLES)
    story.run(spec)
    baseline = story.keep("before")
    story.demo.write(*change)
    refused = story.run(spec, baseline, workers)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in refused.errlines if line.strip()]
    assert line.startswith(BASELINE)
    assert says in line
    assert line.endswith(f"allow it: --llm-allow-different={name}")
    assert not (story.demo.out / "report.json").exists()
    assert story.run(spec, baseline, workers, f"--llm-allow-different={name}").ret == MET


def test_another_sampling_is_refused_before_anybody_is_asked(story: Story) -> None:
    nobody = "--llm-endpoint=new=http://127.0.0.1:9/v1#m"
    story.run(nobody)
    baseline = story.keep("before")
    refused = story.run(nobody, baseline, "--llm-temperature=0.7")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines([f"{BASELINE}*: new: temperature was 0.0, is 0.7 (sampling); *"])
    allowed = story.run(nobody, baseline, "--llm-temperature=0.7", "--llm-allow-different=sampling")
    assert allowed.ret == INCONCLUSIVE


def test_endpoints_of_one_run_that_are_sampled_differently_are_refused(story: Story) -> None:
    url = "url: http://127.0.0.1:9/v1, model: m"
    (story.demo.pytester.path / "models.yaml").write_text(
        f"endpoints:\n  old: {{{url}}}\n  new: {{{url}, extra_body: {{top_k: 1}}}}\n"
    )
    refused = story.run("--llm-endpoint=old", "--llm-endpoint=new", "--llm-baseline=old")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines([f"{BASELINE}old: cannot be compared: new: top_k was not sent, is 1 (sampling); *"])


def test_an_endpoint_that_none_of_several_is_named_like_is_refused(story: Story) -> None:
    story.run(story.record("a", [RIGHT]), story.record("b", [RIGHT]))
    refused = story.run(story.record("c", [RIGHT]), story.keep("before"))
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines([f"{BASELINE}*: has a, b, and with which of them c is to be compared is not known; *"])


def test_an_older_report_is_refused_as_it_does_not_say(story: Story) -> None:
    spec = story.record("new", [RIGHT] * SAMPLES)
    story.run(spec)
    report = story.demo.report()
    for name in ("suites", "check_scores", "difficulty_scores"):
        del report[name]
    Path(story.demo.pytester.path, "old.json").write_text(json.dumps(report))
    refused = story.run(spec, "--llm-baseline=old.json")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["*is not known, as the baseline's report does not say (prompts)*"])
    allow = [f"--llm-allow-different={name}" for name in ("prompts", "suites")]
    assert story.run(spec, "--llm-baseline=old.json", *allow).ret == MET


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (
            ["--llm-baseline=nowhere.json"],
            "*wanted a report.json or a run folder, or one of the endpoints reference: *",
        ),
        (["--llm-baseline=."], "*wanted a report.json or a run folder, or one of the endpoints reference: *"),
        (["--llm-baseline=reference"], "*--llm-baseline=reference: is the only endpoint; name another one *"),
        (["--llm-fail-under=0"], "*--llm-fail-under=0: wanted more than 0 and at most 100*"),
        (["--llm-fail-under=101"], "*wanted more than 0 and at most 100*"),
        (["--llm-drop=nan"], "*--llm-drop=nan: wanted more than 0 and at most 100*"),
        (["--llm-min-coverage=-1"], "*wanted more than 0 and at most 100*"),
        (["--llm-must-pass=byte_order"], "*wanted SUITE/CHECK, the check without test_*"),
        (["--llm-must-pass=stratum/test_byte_order"], "*wanted SUITE/CHECK, the check without test_*"),
        (["--llm-allow-different=model"], "*wanted one of: prompts, suites, sampling*"),
    ],
)
def test_a_mistake_is_told_in_one_line(demo: Demo, args: list[str], says: str) -> None:
    result = demo.run(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert len([line for line in result.errlines if line.strip()]) == 1
    result.stderr.fnmatch_lines([f"ERROR: {says}"])


def test_libraries_of_statistics_are_imported_by_comparisons_only(story: Story) -> None:
    (story.demo.pytester.path / "conftest.py").write_text(
        "import sys\n\ndef pytest_unconfigure():\n    print('imported:', sorted({'numpy', 'scipy'} & set(sys.modules)))\n"
    )
    spec = story.record("new", [RIGHT] * SAMPLES)
    story.run(spec, "--llm-fail-under=90").stdout.fnmatch_lines(["imported: []"])
    story.run(spec, story.keep("before")).stdout.fnmatch_lines(["imported: ['numpy', 'scipy']"])
