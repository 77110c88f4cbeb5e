"""Mistakes on the command line: one line, exit code 4, nothing lost."""

from __future__ import annotations

import pytest

from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.takeover import take
from tests.plugin.conftest import RIGHT, Demo


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--llm-endpoint=ftp://x"], "*not an endpoint; use *NAME=*http://*replay:DIR*models.yaml*"),
        (["--llm-endpoint=qwen"], "*a name is looked up in *models.yaml, which does not exist*"),
        (["--llm-endpoint=replay:nowhere"], "*no such folder*"),
        (["--llm-samples=0"], "*--llm-samples=0: wanted a whole number, 1 or more"),
        (["--llm-fail-under="], "--llm-fail-under=: wanted PERCENT, got nothing; *leave the option out"),
        (["--llm-goodput=ttft"], "*--llm-goodput=ttft: got 'ttft'; wanted NAME:SECONDS*ttft, tpot, itl, e2e*"),
        (["--llm-sandbox=docker"], "*--llm-sandbox=docker: wanted one of: bubblewrap, none"),
        (["--llm-report=out.json"], "*wanted FORMAT:PATH with FORMAT one of: *json*"),
        (["--llm-out=."], "*--llm-out=.: wanted a folder of its own*"),
        (["--llm-out=.."], "*--llm-out=..: wanted a folder of its own*"),
        (["--llm-out=tox.ini"], "*--llm-out=*tox.ini: cannot write there: *"),
        (["--llm-report=json:tox.ini/report.json"], "*--llm-report: cannot write *tox.ini/report.json: *"),
        (["--llm-report=pdf:out.pdf"], "*wanted FORMAT:PATH with FORMAT one of: *json*"),
        (["--llm-report=html:out/report.json"], "--llm-report=html:*/out/report.json: json is written there, too; *"),
    ],
)
@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "xdist"])
def test_a_mistake_is_told_in_one_line(demo: Demo, args: list[str], workers: list[str], says: str) -> None:
    result = demo.run(*args, *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in result.errlines if line.strip()]
    assert len(lines) == 1, lines
    result.stderr.fnmatch_lines([f"ERROR: {says}"])
    assert not list(demo.pytester.path.glob("out*/report.json"))


def test_a_name_given_twice_is_refused(demo: Demo) -> None:
    spec = demo.answers(new=RIGHT)["new"]
    result = demo.run(spec, spec)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *there is already an endpoint named 'new'; give each its own with NAME=*"])


def test_a_malformed_suite_is_told_with_its_folder(demo: Demo) -> None:
    demo.write("suite.yaml", "title: [")
    result = demo.run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*suite */suites/demo: *"])


def test_a_run_cannot_replay_the_folder_that_it_writes(demo: Demo) -> None:
    demo.run()
    result = demo.run("--llm-endpoint=replay:out")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --llm-out=*/out is what reference replays; name another folder*"])
    assert demo.report()["checks"]


def test_two_runs_do_not_share_a_folder(demo: Demo) -> None:
    holder = take(RunFolder(demo.out))
    result = demo.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *another run is writing there*"])
    holder.close()
    demo.run().assert_outcomes(passed=2)
