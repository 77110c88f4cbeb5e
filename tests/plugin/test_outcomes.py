"""The six ways a check can end, as the user of pytest sees them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.client.scripted_server import ScriptedServer, streamed
from tests.nested import WITHOUT_OURS
from tests.plugin.conftest import RIGHT, WRONG, Demo


def test_the_reference_answers_are_judged_when_no_endpoint_is_given(demo: Demo) -> None:
    result = demo.run("-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "llmbench: no --llm-endpoint given: judging the reference answers*",
            "*test_demo.py::test_pays?reference? PASSED*",
        ]
    )


def test_a_wrong_answer_is_a_failure_with_all_that_its_owner_needs(demo: Demo) -> None:
    result = demo.run(demo.answers(new=WRONG)["new"])
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*payout 17 was 1 satoshi short*",
            "transcript: */out/completions/new/demo-s1.json",
            "read saw: *return 1.0*",
        ]
    )
    assert demo.outcomes() == {"pays[new]": "passed", "exact[new]": "wrong"}
    evidence = {row["check"]: row["evidence"] for row in demo.report()["checks"]}
    assert evidence["pays"] is None
    assert "payout 17 was 1 satoshi short" in evidence["exact"]


DOCUMENTED = """
from pytest_llmbench import Observe
from . import judge

def test_exact(observe: Observe) -> None:
    \"""Every payout is exact
    to the satoshi.

    Whatever the fee.
    \"""
    seen = observe(judge.read)
    assert "Decimal" in seen, "payout 17 was 1 satoshi short"
"""


def failure_of(result: pytest.RunResult) -> list[str]:
    """What pytest shows of the only failure, before the notes on it."""
    heads = [place for place, line in enumerate(result.outlines) if re.match("(_+ test_exact|-+ llmbench -)", line)]
    return [line for line in result.outlines[heads[0] + 1 : heads[1]] if not line.startswith("[gw")]


@pytest.mark.parametrize("options", [[], ["-v"], ["-vv"], ["-n1"]])
def test_a_failure_is_short(demo: Demo, monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    demo.write("test_demo.py", DOCUMENTED)
    result = demo.run(demo.answers(new=WRONG)["new"], "--junitxml=out.xml", *options)
    assert failure_of(result) == [
        "wanted: Every payout is exact to the satoshi.",
        "wrong: payout 17 was 1 satoshi short",
        "at suites/demo/test_demo.py:12",
    ]
    result.stdout.fnmatch_lines(["FAILED *test_exact?new? - wrong: payout 17 was 1 satoshi short"])
    junit = ET.parse(demo.pytester.path / "out.xml").getroot()  # noqa: S314 - our own file
    assert [one.attrib["message"] for one in junit.iter("failure")] == ["wrong: payout 17 was 1 satoshi short"]


def test_of_much_that_was_seen_the_place_is_told(demo: Demo) -> None:
    result = demo.run(demo.answers(new=WRONG.replace("1.0", "1.0  # " + "float " * 99))["new"])
    (place,) = re.findall("^read saw: (.*)$", result.stdout.str(), re.MULTILINE)
    assert "float float" in Path(place).read_text()
    assert "float float" not in result.stdout.str()


def test_a_fault_of_the_answer_says_what_was_wanted_too(demo: Demo) -> None:
    demo.write("test_demo.py", DOCUMENTED)
    told = failure_of(demo.run(demo.answers(new="I cannot help with payments.")["new"]))
    assert told[0] == "wanted: Every payout is exact to the satoshi."
    assert told[1].startswith("wrong: the answer returns no file; wanted: 'pay.py'")
    assert len(told) == 2


def test_a_failure_of_an_earlier_session_says_so(demo: Demo) -> None:
    demo.write("test_demo.py", DOCUMENTED)
    with ScriptedServer(streamed(WRONG)) as server:
        demo.run(f"--llm-endpoint=new={server.url}")
        result = demo.pytester.runpytest_subprocess("suites", "--llm-resume=out", *WITHOUT_OURS)
    assert failure_of(result) == [
        "wanted: Every payout is exact to the satoshi.",
        "wrong: payout 17 was 1 satoshi short",
        "(judged before the run was cut off)",
    ]
    assert len(server.requests) == 1


@pytest.mark.parametrize("option", ["--tb=long", "--tb=short", "--showlocals", "--full-trace"])
def test_a_traceback_is_shown_to_whoever_asks_for_one(demo: Demo, option: str) -> None:
    demo.write("test_demo.py", DOCUMENTED)
    told = failure_of(demo.run(demo.answers(new=WRONG)["new"], option))
    assert "E   AssertionError: payout 17 was 1 satoshi short" in [re.sub("^E +", "E   ", line) for line in told]


@pytest.mark.parametrize(
    ("answer", "outcome", "says"),
    [
        ("", "empty", "returned nothing"),
        ("  \n", "empty", "returned nothing"),
        ("<think>Let me see. The float", "empty", "returned only reasoning"),
        ("I cannot help with payments.", "wrong", "pay.py"),
        ("```python ../../pay.py\nx = 1\n```\n", "wrong", "pay.py"),
    ],
)
def test_an_answer_without_files_fails_every_check(demo: Demo, answer: str, outcome: str, says: str) -> None:
    result = demo.run(demo.answers(new=answer)["new"])
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines([f"*{outcome}: *{says}*"])
    assert set(demo.outcomes().values()) == {outcome}


def test_a_fault_that_the_judge_tells_is_the_answers(demo: Demo) -> None:
    demo.add_check("fault")
    demo.run().assert_outcomes(passed=2, failed=1)
    assert demo.outcomes()["fault[reference]"] == "wrong"


def test_a_judge_that_breaks_is_an_error_and_not_a_failure(demo: Demo) -> None:
    demo.add_check("broken")
    result = demo.run("--junitxml=out.xml")
    result.assert_outcomes(passed=2, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert demo.outcomes()["broken[reference]"] == "grader_error"
    (score,) = [row for row in demo.report()["scores"] if row["suite"] is None]
    assert (score["passed"], score["scored"], score["coverage"]) == (2, 2, pytest.approx(2 / 3))
    junit = ET.parse(demo.pytester.path / "out.xml").getroot()  # noqa: S314 - our own file
    assert [len(junit.findall(f".//{kind}")) for kind in ("error", "failure")] == [1, 0]


def test_nothing_recorded_for_a_suite_is_nobodys_fault(demo: Demo) -> None:
    spec = demo.answers(new=RIGHT)["new"]
    (demo.pytester.path / "recorded" / "new" / "demo.md").unlink()
    result = demo.run(spec)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*infra_error: *no answer recorded for suite 'demo'; it wants demo.md*"])
    assert set(demo.outcomes().values()) == {"infra_error"}


def test_an_assertion_of_the_judge_is_not_the_models_failure(demo: Demo) -> None:
    demo.add_check("doubtful")
    demo.run().assert_outcomes(passed=2, errors=1)
    assert demo.outcomes()["doubtful[reference]"] == "grader_error"


def test_a_failed_assertion_before_the_check_is_not_the_models_failure(demo: Demo) -> None:
    demo.write(
        "conftest.py",
        "import pytest\n\n@pytest.fixture(autouse=True)\ndef ready(observe):\n    assert False, 'no disk'\n",
    )
    demo.run().assert_outcomes(errors=2)
    assert set(demo.outcomes().values()) == {"grader_error"}


def test_a_worker_that_dies_is_one_error_and_the_rest_runs(demo: Demo) -> None:
    with (demo.folder / "test_demo.py").open("a") as file:
        file.write("\ndef test_crash(observe: Observe) -> None:\n    observe(judge.crash)\n")
        file.write("\ndef test_after(observe: Observe) -> None:\n    observe(judge.read)\n")
    demo.run("-n1", "--junitxml=out.xml").assert_outcomes(passed=3, errors=1)
    assert demo.outcomes() == {
        "pays[reference]": "passed",
        "exact[reference]": "passed",
        "crash[reference]": "grader_error",
        "after[reference]": "passed",
    }
    assert len(demo.report()["checks"]) == 4
    junit = ET.parse(demo.pytester.path / "out.xml").getroot()  # noqa: S314 - our own file
    assert [len(junit.findall(f".//{kind}")) for kind in ("error", "failure")] == [1, 0]


def test_the_last_result_of_a_check_that_ran_twice_counts_and_is_told_once(demo: Demo) -> None:
    demo.write(
        "conftest.py",
        """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    # What rerun plugins do: the first result is logged as "rerun", the second one as it is.
    for report in runtestprotocol(item, nextitem=nextitem, log=False):
        if report.when == "call":
            report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
    runtestprotocol(item, nextitem=nextitem, log=True)
    return True

def pytest_report_teststatus(report):
    if report.outcome == "rerun":
        return "rerun", "R", "RERUN"
""",
    )
    demo.run("--junitxml=out.xml").assert_outcomes(passed=2)
    assert [row["outcome"] for row in demo.report()["checks"]] == ["passed", "passed"]
    junit = ET.parse(demo.pytester.path / "out.xml").getroot()  # noqa: S314 - our own file
    for case in junit.iter("testcase"):
        names = [one.attrib["name"] for one in case.findall("properties/property")]
        assert len(names) == len(set(names))


def test_junit_carries_what_a_dashboard_wants(demo: Demo) -> None:
    specs = demo.answers(new=WRONG, old=RIGHT)
    demo.run(*specs.values(), "--junitxml=out.xml")
    junit = ET.parse(demo.pytester.path / "out.xml").getroot()  # noqa: S314 - our own file
    seen = [
        {one.attrib["name"]: one.attrib["value"] for one in case.findall("properties/property")}
        for case in junit.iter("testcase")
    ]
    assert [(one["endpoint"], one["suite"], one["check"], one["sample"], one["outcome"]) for one in seen] == [
        ("new", "demo", "pays", "1", "passed"),
        ("new", "demo", "exact", "1", "wrong"),
        ("old", "demo", "pays", "1", "passed"),
        ("old", "demo", "exact", "1", "passed"),
    ]


def test_the_summary_names_endpoints_scores_and_report(demo: Demo) -> None:
    result = demo.run(*demo.answers(new=WRONG, old=RIGHT).values())
    result.stdout.fnmatch_lines(["*llmbench*", "*new*1/2*", "*old*2/2*", "*report.json*"])


def test_a_program_that_the_host_lacks_is_nobodys_failure(demo: Demo, right: str) -> None:
    demo.write("suite.yaml", "title: Payouts\ndifficulty: easy\nneeds: [bash, xmrig-proxy, nonesuch]\n")
    result = demo.run(demo.answers(good=right)["good"])
    result.stdout.fnmatch_lines(["*infra_error: *has not got in /usr/bin*: xmrig-proxy, nonesuch; install them*"])
    assert set(demo.outcomes().values()) == {"infra_error"}
