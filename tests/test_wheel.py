"""The wheel, as a user installs it: the suites are in it and run from an empty folder."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_package_suites_and_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "pytest_llmbench/py.typed",
        "pytest_llmbench/plugin.py",
        "pytest_llmbench/reports/html/script.js",
        "pytest_llmbench/reports/html/style.css",
        "pytest_llmbench/reports/html/templates/page.html.j2",
        "pytest_llmbench/suites/zmq/suite.yaml",
        "pytest_llmbench/suites/zmq/prompt.md",
        "pytest_llmbench/suites/zmq/program/notifier.py",
        "pytest_llmbench/suites/zmq/answers/reference.md",
        "pytest_llmbench/suites/zmq/test_zmq.py",
    } <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests/")]


def test_the_checks_run_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run(
        # Not compiled: all of scipy would be, and nothing of it runs here.
        [venv / "bin/pip", "install", "-q", "--no-compile", "--disable-pip-version-check", wheel],
        check=True,
        capture_output=True,
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run(
        [venv / "bin/pytest", "--pyargs", "pytest_llmbench.suites", "--strict-markers", "--llm-out=out", "-n2"],
        cwd=empty,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((empty / "out" / "report.json").read_text())
    assert {row["outcome"] for row in report["checks"]} == {"passed"}
    assert {row["suite"] for row in report["checks"]} == {
        path.parent.name for path in (ROOT / "suites").glob("*/suite.yaml")
    }
    command = [str(venv / "bin/llmbench"), "report", "markdown", "out"]
    markdown = subprocess.run(command, cwd=empty, check=True, capture_output=True, text=True).stdout
    assert "22/22" in markdown
    letters = subprocess.run(
        [str(venv / "bin/llmbench"), "prompts", "letters"], cwd=empty, check=True, capture_output=True
    )
    assert len(letters.stdout.splitlines()) == 5
