"""The command `llmbench`, as a process where that matters, else in this one."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import replace
from importlib.metadata import EntryPoint, version
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from pytest_llmbench import cli
from pytest_llmbench.model.completion import Completion, Exchange
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import Gate, Report
from pytest_llmbench.model.runrecord import RunRecord, Session
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.options import OPTIONS
from pytest_llmbench.prompts import find_suites
from pytest_llmbench.reports import FORMATS
from pytest_llmbench.reports.details import NO_DETAILS
from pytest_llmbench.reports.json_report import render
from pytest_llmbench.runfolder import RunFolder
from tests.reports.sample import PASSED, WRONG, make_endpoint, make_sample, make_scores, make_spread
from tests.suites.corpus import suite_folders

ROOT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-m", "pytest_llmbench.cli")


def make_run(folder: Path, run: str, *, wrong: int = 0, samples: int = 12) -> Report:
    """Write a run folder: one endpoint, that many answers, `wrong` of which fail one check."""
    sample = make_sample(run)
    own = [check for check in sample.checks if check.endpoint == "qwen3-coder-fp8"]
    checks = tuple(
        replace(
            check,
            sample=number,
            nodeid=check.nodeid.replace("]", f"-s{number}]"),
            outcome=WRONG if check.check == "info_leak" and number <= wrong else PASSED,
            evidence="told the wallet's password" if check.check == "info_leak" and number <= wrong else None,
        )
        for number in range(1, samples + 1)
        for check in own
    )
    report = replace(
        sample,
        endpoints=(make_endpoint("qwen3-coder-fp8"),),
        checks=checks,
        completions=tuple(
            replace(row, sample=number, transcript=f"completions/{row.endpoint}/{row.suite}-s{number}.json")
            for number in range(1, samples + 1)
            for row in sample.completions
            if row.endpoint == "qwen3-coder-fp8"
        ),
        scores=make_scores(checks),
        speed=tuple(row for row in sample.speed if row.endpoint == "qwen3-coder-fp8"),
        gate=Gate(None, ()),
    )
    write(folder, report)
    RunFolder(folder).write_completion(
        Completion("qwen3-coder-fp8", "zmq", 1, {}, "2026-11-21T20:20:00Z", Exchange("the whole answer"))
    )
    return report


def make_cut_off(folder: Path, report: Report) -> None:
    """Leave what a run leaves that was killed before its report was written, in the middle of a line."""
    run = RunFolder(folder)
    endpoint = Endpoint("qwen3-coder-fp8", "http://127.0.0.1:8000/v1", "org/qwen3-coder-fp8")
    settings = Settings(
        endpoints=(endpoint,), out=str(folder), run_id="run-cut", started_at="2026-11-21T20:20:00.000+00:00", seed=7,
        samples=1, concurrency=8, timeout_s=60.0, sandbox="bubblewrap", reports=(),
    )  # fmt: skip
    session = Session(1, settings.started_at, "0.1.0", ("pytest", "suites"))
    run.write_run(RunRecord("llmbench-run/1", settings, (session,)))
    for check in report.checks[:7]:
        run.append("check", check)
    for row in report.speed:
        run.append("speed", row)
    with (folder / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"kind":"speed","record":{"endpoi')


def write(folder: Path, report: Report) -> None:
    RunFolder(folder).write("report.json", render(report, NO_DETAILS).encode())


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs in the current folder, the second one a little worse."""
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "old", "run-old")
    make_run(tmp_path / "new", "run-new", wrong=1)
    return tmp_path


def call(*words: str, code: int = 0) -> None:
    assert cli.main(words) == code


def refused(capfd: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the one line that is said to bad input."""
    try:
        code = cli.main(words)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else -1
    said = capfd.readouterr()
    assert code in (cli.EXIT_COMMAND_LINE, cli.EXIT_USAGE)
    assert said.out == ""
    (line,) = said.err.splitlines()
    return line


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_every_format_can_be_written_of_a_past_run(kind: str, runs: Path) -> None:
    call("report", f"{kind}:out/again.{kind}", "old")
    assert (runs / "out" / f"again.{kind}").stat().st_size > 0


def test_json_of_one_run_is_its_report_unchanged(runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call("report", "json", "old")
    assert capfd.readouterr().out == (runs / "old" / "report.json").read_text("utf-8")


def test_a_copied_report_is_enough(runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (runs / "copy.json").write_bytes((runs / "old" / "report.json").read_bytes())
    call("report", "markdown", "copy.json")
    assert "qwen3-coder-fp8" in capfd.readouterr().out


@pytest.mark.usefixtures("runs")
def test_several_runs_stand_beside_each_other(capfd: pytest.CaptureFixture[str]) -> None:
    call("report", "json", "old", "new/report.json")
    said = capfd.readouterr()
    report = json.loads(said.out)
    assert [row["name"] for row in report["endpoints"]] == ["qwen3-coder-fp8@run-old", "qwen3-coder-fp8@run-new"]
    assert {check["endpoint"] for check in report["checks"]} == {row["name"] for row in report["endpoints"]}
    assert said.err == ""


def test_what_makes_runs_less_than_comparable_is_said(runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = make_run(runs / "third", "run-third")
    write(runs / "third", replace(report, suites=(replace(report.suites[0], version="f" * 64), report.suites[1])))
    call("report", "json:out.json", "old", "third")
    assert capfd.readouterr().err == (
        "llmbench report: suite stratum is not the same in all runs: run-old and run-third cannot be compared in it\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["report", "pdf", "old"], "llmbench report: pdf: wanted FORMAT or FORMAT:PATH with FORMAT one of: csv, html, json"),
        (["report", "json", "nowhere"], "nowhere: there is no such file or folder; wanted a run folder or its report.json"),
        (["report", "json", "empty"], "empty: no report.json in that folder; wanted a run folder or its report.json"),
        (["report", "json", "foreign"], "foreign: no report.json in that folder; wanted"),
        (["compare", "old", "cut"], "cut: was cut off, or is not over yet; go on with it by --llm-resume=cut"),
        (["report", "json", "other.json"], "other.json: is no report of ours: "),
        (["report", "json", "old", "old"], "run run-old was given twice; wanted each run once"),
        (["report", "json:old", "new"], "Is a directory"),
        (["report", "json:./new/report.json", "old", "new"], "./new/report.json: is one of the reports to read; name another"),
        (["report", "json"], "the following arguments are required: RUN; see llmbench report --help"),
        ([], "llmbench: the following arguments are required: COMMAND; see llmbench --help"),
        (["judge"], "invalid choice: 'judge'"),
        (["compare", "old"], "the following arguments are required: B"),
        (["compare", "old", "nowhere"], "nowhere: there is no such file or folder"),
        (["compare", "--drop=0", "old", "new"], "'0': wanted more than 0 and at most 100"),
        (["compare", "--fail-under=0.9", "old", "new"], "'0.9': wanted per cent, such as 90; if less than one is meant"),
        (["compare", "--must-pass=leak", "old", "new"], "'leak': wanted SUITE/CHECK, the check without test_"),
        (["compare", "--must-pass=stratum/test_info_leak", "old", "new"], "wanted SUITE/CHECK, the check without test_"),
        (["compare", "--allow-different=model", "old", "new"], "'model': wanted one of: prompts, suites, sampling"),
        (["schema", "run"], "invalid choice: 'run'"),
        (["prompts"], "llmbench prompts: the following arguments are required: DIR|-; see"),
        (["prompts", "-"], "-: wanted one suite, got 5: hiveos, payment, pplns, stratum, zmq"),
        (["prompts", "-", "nosuch"], "no suite nosuch; wanted one of hiveos, payment, pplns, stratum, zmq, or a folder"),
        (["prompts", "old/report.json"], "old/report.json: File exists"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_line(words: list[str], told: str, runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (runs / "empty").mkdir()
    (runs / "foreign").mkdir()
    (runs / "foreign" / "journal.jsonl").touch()
    make_cut_off(runs / "cut", make_run(runs / "third", "run-third"))
    (runs / "other.json").write_text('{"schema": "llmbench-report/2"}')
    assert told in refused(capfd, *words)


def test_a_run_that_was_cut_off_is_reported_as_far_as_it_came(runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_cut_off(runs / "cut", make_run(runs / "third", "run-third", wrong=12))
    call("report", "json", "cut")
    said = capfd.readouterr()
    report = json.loads(said.out)
    assert (report["run"]["id"], len(report["checks"]), len(report["speed"])) == ("run-cut", 7, 3)
    assert [row["passed"] for row in report["scores"] if row["suite"] is None] == [5]
    assert said.err == "llmbench report: cut: was cut off, or is not over yet: this is what it has found\n"


def test_what_only_the_earlier_run_judged_is_not_taken_for_passed(
    runs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = make_run(runs / "part", "run-part")
    write(runs / "part", replace(report, checks=tuple(check for check in report.checks if check.check != "stale_job")))
    call("compare", "old", "part", code=8)
    assert "checks were judged (" in capfd.readouterr().out


def test_a_suite_that_was_left_out_on_purpose_is_not_missed(runs: Path) -> None:
    report = make_run(runs / "part", "run-part", samples=20)
    make_run(runs / "long", "run-long", samples=20)
    zmq = replace(
        report,
        checks=tuple(check for check in report.checks if check.suite == "zmq"),
        completions=tuple(row for row in report.completions if row.suite == "zmq"),
    )
    write(runs / "part", zmq)
    call("compare", "--drop=40", "long", "part")


def test_nothing_changed_is_green(runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_run(runs / "same", "run-same")
    call("compare", "old", "same")
    said = capfd.readouterr().out
    assert said.startswith("**✅ The bar is met**\n")
    assert "- 60 checks compared, of 24 pairs of answers: 0 worse, 0 better." in said


def test_much_worse_is_red_with_both_answers(runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_run(runs / "bad", "run-bad", wrong=12)
    call("compare", "old", "bad/report.json", code=1)
    said = capfd.readouterr().out
    assert said.startswith("**❌ The bar is not met**\n")
    assert (
        "- **Broken**: `stratum/info_leak` 12/12 → 0/12: `told the wallet's password`\n"
        "  - before: `old/completions/qwen3-coder-fp8/stratum-s1.json`\n"
        "  - now: `bad/completions/qwen3-coder-fp8/stratum-s1.json`\n"
    ) in said


@pytest.mark.usefixtures("runs")
def test_a_check_that_must_pass_decides_alone() -> None:
    call("compare", "--must-pass=stratum/info_leak", "old", "new", code=1)


def test_too_little_to_tell_is_neither(runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_run(runs / "few", "run-few", samples=1)
    make_run(runs / "fewer", "run-fewer", samples=1, wrong=1)
    call("compare", "few", "fewer", code=8)
    assert capfd.readouterr().out.startswith("**❔ Inconclusive")


def test_what_cannot_be_compared_is_refused_unless_allowed(runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = make_run(runs / "other", "run-other")
    write(runs / "other", replace(report, suites=(replace(report.suites[0], version="f" * 64), report.suites[1])))
    line = refused(capfd, "compare", "old", "other")
    assert line.startswith("llmbench compare: cannot be compared: stratum: the judge is another one (suites)")
    assert line.endswith("allow it: --allow-different=suites")
    call("compare", "--allow-different=suites", "old", "other")


def test_runs_of_speed_alone_are_compared_in_speed_alone(runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, factor in (("slow", 1.0), ("fast", 2.0)):
        report = make_run(runs / name, f"run-{name}")
        figure = replace(make_spread(60.0 * factor), low=59.0 * factor, high=61.0 * factor)
        speed = (replace(report.speed[0], decode_tok_s=figure),)
        write(runs / name, replace(report, checks=(), completions=(), scores=(), speed=speed))
    call("compare", "slow", "fast", code=8)
    said = capfd.readouterr().out
    assert "`nothing was judged: no check was run that the bars are for`\n\n## What else changed" in said
    assert "| faster | single-stream | `tok/s of one stream` |     60 | 120 | 2.000 |" in said


def test_the_bars_of_a_run_are_those_of_pytest() -> None:
    own = cli.make_parser().parse_args(["compare", "A", "B"])
    for name in ("drop", "min-coverage"):
        (option,) = [one for one in OPTIONS if one.name == name]
        assert getattr(own, option.name.replace("-", "_")) == option.default
        assert f"(default: {option.default:g})" in option.help


@pytest.mark.usefixtures("runs")
def test_what_goes_wrong_in_here_is_not_taken_for_a_worse_model(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> NoReturn:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("pytest_llmbench.commands.compare.compare", broken)
    call("compare", "old", "new", code=3)
    assert capfd.readouterr().err.endswith("ZeroDivisionError: ours\n")


def test_what_a_report_says_cannot_steer_the_terminal(runs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = make_run(runs / "third", "run\x1b[2J\nthird")
    write(runs / "third", replace(report, suites=()))
    call("report", "json:out.json", "old", "third")
    assert capfd.readouterr().err == (
        "llmbench report: run run⟨U+001B⟩[2J third does not say which version of the suites it was judged by\n"
    )


@pytest.mark.parametrize(("words", "file"), [([], "report"), (["report"], "report"), (["models"], "models")])
def test_schemas_are_the_published_ones(words: list[str], file: str, capfd: pytest.CaptureFixture[str]) -> None:
    call("schema", *words)
    published = ROOT / "docs" / f"{file}.schema.json"
    assert json.loads(capfd.readouterr().out) == json.loads(published.read_text("utf-8"))


def test_prompts_are_written_byte_for_byte(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call("prompts", str(tmp_path / "letters"))
    names = sorted(folder.name for folder in suite_folders())
    assert capfd.readouterr().out.splitlines() == [str(tmp_path / "letters" / f"{name}.md") for name in names]
    for suite in find_suites(names):
        assert (tmp_path / "letters" / f"{suite.name}.md").read_bytes() == suite.prompt.encode()


def test_a_folder_of_any_name_is_told_as_it_is(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/let\xffters"
    done = subprocess.run([*map(os.fsencode, COMMAND), b"prompts", folder, b"zmq"], check=True, capture_output=True)
    assert done.stdout == folder + b"/zmq.md\n"


def test_one_prompt_goes_to_standard_output_as_it_is() -> None:
    done = subprocess.run([*COMMAND, "prompts", "-", "zmq"], check=True, capture_output=True)
    (suite,) = find_suites(["zmq"])
    assert done.stdout == suite.prompt.encode()


def test_a_suite_of_one_s_own_is_named_by_its_folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "mine"
    (own / "program").mkdir(parents=True)
    (own / "program" / "a.py").write_text("pass\n")
    (own / "suite.yaml").write_text("title: Mine\ndifficulty: easy\n")
    (own / "prompt.md").write_text("Mend it.\r\n{{program}}")
    call("prompts", "-", str(own))
    assert capfd.readouterr().out.endswith("```python a.py\npass\n```\n")


def test_a_broken_suite_is_told_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "suite.yaml").write_text("title: [\n")
    assert "ParserError" in refused(capfd, "prompts", "-", str(tmp_path))


def test_the_command_is_installed_under_its_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert EntryPoint("llmbench", project["scripts"]["llmbench"], "console_scripts").load() is cli.main


def test_version_and_help(capfd: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["--version"],
        ["--help"],
        *([name, "--help"] for name in ("report", "compare", "schema", "prompts")),
    ):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 0
    said = capfd.readouterr().out
    assert f"llmbench {version('pytest-llmbench')}\n" in said
    assert said.isascii()  # or a terminal that is no more than that would get a traceback
    for word in (
        "report",
        "compare",
        "schema",
        "prompts",
        "llmbench report html:out.html",
        "csv, html, json, markdown",
    ):
        assert word in said


def test_past_runs_are_read_without_pytest(runs: Path) -> None:
    program = (
        "import sys; from pytest_llmbench import cli\n"
        "codes = [cli.main(words) for words in (['report', 'html:x', 'old'], ['compare', 'old', 'old'], ['schema'])]\n"
        "print(codes, sorted({'pytest', '_pytest', 'xdist'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=runs, check=True, capture_output=True, text=True)
    assert done.stderr == "[0, 0, 0] []\n"


def test_a_reader_who_leaves_early_is_no_error(runs: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "report", "json", "old"], cwd=runs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == cli.EXIT_PIPE


def examples() -> list[str]:
    text = (ROOT / "docs" / "command.md").read_text("utf-8")
    (block,) = re.findall(r"^```bash\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line for line in block.splitlines() if line]


@pytest.mark.parametrize("example", examples())
def test_the_examples_of_the_page_are_understood(example: str) -> None:
    program, *words = shlex.split(example, comments=True)
    assert program == "llmbench"
    assert cli.make_parser().parse_args(words).command == words[0]


def test_the_workflow_of_the_page_is_one() -> None:
    text = (ROOT / "docs" / "github-actions.md").read_text("utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    steps = yaml.safe_load(block)["jobs"]["gate"]["steps"]
    (judge,) = [step["run"] for step in steps if step.get("name") == "Judge"]
    flags = {word.partition("=")[0] for word in shlex.split(judge) if word.startswith("--llm-")}
    assert len(flags) >= 7
    assert flags <= {option.flag for option in OPTIONS}
