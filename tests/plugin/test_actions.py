"""What a runner of GitHub Actions sees of a run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_llmbench.actions import SUMMARY_FILE, is_in_actions
from pytest_llmbench.reports.details import NO_DETAILS
from pytest_llmbench.reports.github import SUMMARY_LIMIT_BYTES
from pytest_llmbench.reports.json_report import render
from pytest_llmbench.reports.markdown_report import render as render_markdown
from tests.client.scripted_server import ScriptedServer, streamed
from tests.plugin.conftest import RIGHT, WRONG, Demo
from tests.reports.sample import make_sample

CONFTEST = """
from pathlib import Path
from pytest_llmbench.actions import Actions
from pytest_llmbench.model.codec import decode
from pytest_llmbench.model.report import Report

def found():
    return decode(Path("sample.json").read_bytes(), Report) if Path("sample.json").exists() else None

def pytest_configure(config):
    config.pluginmanager.register(Actions(found))
"""
HOSTILE_TEST = """
def test_hostile():
    print("::set-output name=deploy::yes")
    print("   ::add-mask::a")
    assert not "##[set-output name=deploy]yes"
"""


@pytest.fixture
def summary(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the job's summary is wanted, for a run that found the sample report."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)  # the plugin itself shall stay out of it
    path = pytester.path / "summary.md"
    monkeypatch.setenv(SUMMARY_FILE, str(path))
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(HOSTILE_TEST)
    (pytester.path / "sample.json").write_text(render(make_sample(), NO_DETAILS))
    return path


def run(pytester: pytest.Pytester) -> list[str]:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider").outlines


def commands(lines: list[str]) -> list[str]:
    """Return what a runner takes for commands: it looks behind white space, for `##[` anywhere, and heeds `stop-commands`."""
    found: list[str] = []
    token: str | None = None
    for line in lines:
        command = re.match(r"\s*::([\w-]+)(?: [^:]*)?::(.*)", line)
        if token is not None:
            token = None if line.lstrip().startswith(f"::{token}::") else token
        elif command is not None and command[1] == "stop-commands":
            token = command[2]
        elif command is not None or "##[" in line:
            found.append(line)
    assert token is None
    return found


def test_only_our_own_words_are_commands(pytester: pytest.Pytester, summary: Path) -> None:
    lines = run(pytester)
    assert "::set-output name=deploy::yes" in lines
    assert [line.partition("::")[2].partition("::")[0] for line in commands(lines)] == [
        "error title=llmbench%3A The bar is not met",
        "error title=qwen3-coder-awq%3A zmq/clean_shutdown%3A 1 of 1 answers passed%2C now 0 of 1",
        "error title=llama-70b%3A died while loading (exit status 1)%2C GPU memory",
    ]
    assert summary.exists()


def test_each_run_has_a_token_of_its_own(pytester: pytest.Pytester, summary: Path) -> None:
    tokens = [next(line for line in run(pytester) if line.startswith("::stop-commands::")) for _ in range(2)]
    assert len(set(tokens)) == 2
    assert summary.exists()


def test_the_summary_is_added_to_what_the_step_has_said(pytester: pytest.Pytester, summary: Path) -> None:
    summary.write_text("# Built\n")
    run(pytester)
    assert summary.read_text("utf-8") == "# Built\n" + render_markdown(make_sample(), NO_DETAILS)


def test_a_full_summary_is_left_alone(pytester: pytest.Pytester, summary: Path) -> None:
    summary.write_bytes(b"x" * SUMMARY_LIMIT_BYTES)
    run(pytester)
    assert summary.stat().st_size == SUMMARY_LIMIT_BYTES


def test_a_summary_that_cannot_be_written_costs_nothing_else(
    pytester: pytest.Pytester, summary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SUMMARY_FILE, str(summary.parent))
    lines = run(pytester)
    assert f"llmbench: cannot write the job's summary to {summary.parent}: Is a directory" in lines
    assert len(commands(lines)) == 3


def test_without_a_place_for_it_there_is_no_summary(
    pytester: pytest.Pytester, summary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SUMMARY_FILE)
    assert len(commands(run(pytester))) == 3
    assert not summary.exists()


def test_a_run_of_other_tests_is_left_as_it_is(pytester: pytest.Pytester, summary: Path) -> None:
    (pytester.path / "sample.json").unlink()
    lines = run(pytester)
    assert not [line for line in lines if "stop-commands" in line]
    assert not summary.exists()


@pytest.mark.parametrize(
    ("given", "wanted"), [({"GITHUB_ACTIONS": "true"}, True), ({"GITHUB_ACTIONS": "false"}, False), ({}, False)]
)
def test_the_runner_says_that_it_is_there(given: dict[str, str], wanted: bool) -> None:  # noqa: FBT001 - a case
    assert is_in_actions(given) is wanted


def test_what_a_server_calls_its_model_is_no_command(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    model = "m\n::set-output name=deploy::yes ##[add-mask]m"
    with ScriptedServer(streamed(RIGHT), models=[model]) as server:
        result = demo.run(f"--llm-endpoint=new={server.url}")
    assert any("##[add-mask]m" in line for line in result.outlines)
    assert commands(result.outlines) == []


@pytest.mark.parametrize("words", [["--llm-endpoint=nosuch"], ["--collect-only"], ["-k", "nosuch"]])
def test_however_a_session_ends_commands_are_obeyed_after_it(
    words: list[str], demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = demo.run(*words).outlines
    assert any("::stop-commands::" in line for line in lines)
    assert commands(lines) == []


def test_a_run_of_checks_is_told_by_itself(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv(SUMMARY_FILE, str(demo.pytester.path / "summary.md"))
    result = demo.run(*demo.answers(new=WRONG, old=RIGHT).values(), "-n2", "--llm-report=markdown:same.md")
    (command,) = commands(result.outlines)
    assert command.startswith(
        "::error title=new%3A demo/exact%3A wrong::AssertionError: payout 17 was 1 satoshi short%0A"
    )
    assert (demo.pytester.path / "summary.md").read_bytes() == (demo.pytester.path / "same.md").read_bytes()
