"""What the documentation says is so."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from pytest_llmbench.model.report import Report
from pytest_llmbench.options import OPTIONS
from pytest_llmbench.reports import FORMATS
from pytest_llmbench.reports.details import NO_DETAILS
from pytest_llmbench.reports.schema import report_schema
from tests.reports.conftest import make_report
from tests.suites.corpus import checks_of, suite_folders

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").rglob("*.md")])


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def report() -> Report:
    return make_report()


@pytest.mark.parametrize("command", [line for text in blocks("docs/report.md", "bash") for line in text.splitlines()])
def test_the_jq_examples_run(command: str, report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(FORMATS["json"](report, NO_DETAILS))
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert len(done.stdout.splitlines()) >= 3


def test_every_field_of_the_report_is_on_its_page() -> None:
    page = (ROOT / "docs" / "report.md").read_text("utf-8")
    definitions = json.loads(report_schema())["$defs"]
    for name in ("RunInfo", "EndpointRow", "CompletionRow", "ServerFigures", "Check", "ScoreRow", "SpeedRow", "Spread"):
        for field in definitions[name]["properties"]:
            assert f"`{field}`" in page, f"{name}.{field}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_one_page_has_every_option_and_what_it_is_set_to() -> None:
    page = (ROOT / "docs" / "options.md").read_text("utf-8")
    for option in OPTIONS:
        flag = option.flag if option.is_switch else f"{option.flag}={option.metavar.replace('...', '…')}"
        (row,) = re.findall(rf"^\| `{re.escape(flag)}` \|(.*)\|$", page, re.MULTILINE)
        if said := re.search(r"\(default: ([^),]*)", option.help):
            assert said[1] in row, option.flag


def test_no_page_tells_of_an_option_that_is_not_there() -> None:
    told = {flag for page in PAGES for flag in re.findall(r"--llm-[a-z-]+", page.read_text("utf-8"))}
    assert told == {option.flag for option in OPTIONS}


def test_the_readme_begins_with_two_commands_of_one_line() -> None:
    commands = blocks("README.md", "bash")[:2]
    assert commands == [
        "scripts/setup && .venv/bin/pytest\n",
        "scripts/setup tests && .venv/bin/pytest tests -n 3\n",
    ]


def quotes(page: str) -> list[str]:
    """What the page of a suite quotes from its letter."""
    text = " ".join((ROOT / "docs" / "checks" / f"{page}.md").read_text("utf-8").split())
    return [quoted for quoted in re.findall(r'"([^"]*)"', text) if len(quoted) >= 20]


@pytest.mark.parametrize("folder", suite_folders(), ids=lambda folder: folder.name)
def test_every_check_rests_on_a_sentence_of_its_letter(folder: Path) -> None:
    page = (ROOT / "docs" / "checks" / f"{folder.name}.md").read_text("utf-8")
    letter = " ".join((folder / "prompt.md").read_text("utf-8").split())
    for check in checks_of(folder):
        (row,) = re.findall(rf"^\| `?{check}`? \|.*\|.*\|$", page, re.MULTILINE)
        assert row.count('"') >= 2, f"{check} quotes nothing"
    for quoted in quotes(folder.name):
        assert quoted in letter, quoted
