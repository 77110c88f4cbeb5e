"""What a run leaves for those who read its report."""

from __future__ import annotations

import json
import os

import pytest

from pytest_llmbench.rundetails import RunDetails
from tests.nested import WITHOUT_OURS
from tests.plugin.conftest import RIGHT, WRONG, Demo


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_what_was_asked_answered_and_seen_is_kept(demo: Demo, workers: str) -> None:
    specs = demo.answers(new=WRONG + "\n```python ../up.py\nx = 1\n```\n", old=RIGHT, silent="")
    demo.pytester.makeconftest(
        """
        from pathlib import Path
        from pytest_llmbench.runfolder import RunFolder

        def pytest_runtest_teardown():
            assert RunFolder(Path("out")).claim("grading") is None, "nobody would wait for this process"
        """
    )
    demo.run(*specs.values(), workers).assert_outcomes(passed=3, failed=3)
    details = RunDetails(demo.out)
    assert details.prompt("demo") == demo.prompt
    assert details.program("demo") == {"pay.py": "def pay():\n    return 0.1 + 0.2\n"}
    assert details.candidate("new", "demo", 1) == {"pay.py": "def pay():\n    return 1.0\n"}
    assert "Decimal" in details.candidate("old", "demo", 1)["pay.py"]
    assert details.candidate("silent", "demo", 1) == {}
    assert details.text("logs/new/demo-s1/read.seen.txt") == "'def pay():\\n    return 1.0\\n'\n"
    assert details.text("logs/silent/demo-s1/read.seen.txt") is None
    completion = details.completion("old", "demo", 1)
    assert completion is not None
    assert completion.exchange is not None
    assert completion.exchange.content == RIGHT
    (suite,) = demo.report()["suites"]
    assert (suite["name"], suite["title"], suite["difficulty"]) == ("demo", "Payouts", "easy")
    assert not list(demo.pytester.path.rglob("up.py"))


def test_a_suite_is_known_wherever_pytest_is_started(
    demo: Demo, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setenv("PYTHONPATH", str(demo.pytester.path), prepend=os.pathsep)
    monkeypatch.chdir(elsewhere)
    result = demo.pytester.runpytest_subprocess("--pyargs", "suites.demo", "-n2", "--llm-out=out", *WITHOUT_OURS)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["llmbench: no --llm-endpoint given: *", "*report: */out/report.json"])
    report = json.loads((elsewhere / "out" / "report.json").read_bytes())
    assert {(row["nodeid"], row["suite"]) for row in report["checks"]} == {
        (f"test_demo.py::test_{name}[reference]", "demo") for name in ("pays", "exact")
    }
    assert len((elsewhere / "calls.txt").read_text().splitlines()) == 1  # one worker had both checks


def test_a_report_that_cannot_be_written_is_told_and_is_no_verdict(demo: Demo) -> None:
    demo.pytester.makeconftest(
        """
        from pathlib import Path

        def pytest_runtest_logfinish():
            Path("out/report.json").mkdir(exist_ok=True)  # as good as a full disk
        """
    )
    result = demo.run("--llm-fail-under=50")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines(
        ["reference *2/2 *", "cannot write */out/report.json: Is a directory; make room, then: --llm-resume=*/out"]
    )
