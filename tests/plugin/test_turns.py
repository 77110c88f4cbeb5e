"""Answers are graded in the order in which they come."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.schedule_server import serve

ROOT = Path(__file__).parents[2]

LOOP = """
import json, pathlib, pytest
from types import SimpleNamespace
from pytest_llmbench.run import CASE
from pytest_llmbench.turns import run_in_turn

ARRIVALS = json.loads(pathlib.Path("arrivals.json").read_text())

def pytest_collection_modifyitems(items):
    for item in items:
        if hasattr(item, "callspec"):
            item.stash[CASE] = SimpleNamespace(key=item.callspec.params["answer"])

@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    run_in_turn(session, lambda cases: min(cases, key=lambda case: ARRIVALS.index(case.key)))
    return True
"""
CHECKS = """
import pytest

@pytest.fixture(scope="module")
def shared():
    yield
    print("torn down", __name__)

@pytest.mark.parametrize("answer", {answers!r})
def test_it(answer, shared):
    print("ran", __name__, answer)
"""


def graded(pytester: pytest.Pytester, arrivals: list[str]) -> list[str]:
    """Run two modules with checks of two answers each, and a test of something else in between."""
    pytester.makeconftest(LOOP)
    for module, answers in {"test_a": ["a1", "a2"], "test_c": ["c1", "c2"], "test_d": ["d1"]}.items():
        pytester.makepyfile(**{module: CHECKS.format(answers=answers)})
    pytester.makepyfile(test_b='def test_else():\n    print("ran test_b -")\n')
    (pytester.path / "arrivals.json").write_text(json.dumps(arrivals))
    result = pytester.runpytest_subprocess("-s", "-p", "no:llmbench", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=6)
    return re.findall(r"(?:ran|torn down) test_\w.*", result.stdout.str())


def test_answers_take_their_turn_and_other_tests_keep_their_place(pytester: pytest.Pytester) -> None:
    lines = graded(pytester, ["a2", "d1", "c2", "a1", "c1"])
    assert [line for line in lines if line.startswith("ran")] == [
        "ran test_a a2",
        "ran test_a a1",
        "ran test_b -",
        "ran test_d d1",
        "ran test_c c2",
        "ran test_c c1",
    ]


@pytest.mark.parametrize("arrivals", [["c1", "d1", "c2", "a1", "a2"], ["d1", "c2", "c1", "a2", "a1"]])
def test_what_a_module_shares_is_torn_down_whoever_comes_next(pytester: pytest.Pytester, arrivals: list[str]) -> None:
    lines = graded(pytester, arrivals)
    last = {module: max(place for place, line in enumerate(lines) if module in line) for module in ("test_a", "test_c")}
    assert all(lines[place] == f"torn down {module}" for module, place in last.items())


def test_a_late_answer_keeps_nobody_waiting(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "suites", "-k", "pplns or zmq", "-p", "no:cacheprovider"]
    subprocess.run([*command, f"--llm-export-prompts={tmp_path}"], cwd=ROOT, check=True, capture_output=True)
    replies = {
        (tmp_path / f"{suite}.md").read_text("utf-8"): {
            "answer": (ROOT / "suites" / suite / "answers" / "reference.md").read_text("utf-8"),
            "ttft_ms": ttft_ms,
        }
        for suite, ttft_ms in {"pplns": 20_000, "zmq": 0}.items()
    }
    (tmp_path / "replies.json").write_text(json.dumps(replies))
    with serve("interval_ms=0", f"--replies={tmp_path / 'replies.json'}") as server:
        options = [f"--llm-endpoint=s={server.url}", f"--llm-out={tmp_path / 'out'}", "-v"]
        done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    lines = [line for line in done.stdout.splitlines() if "PASSED" in line]
    assert ["zmq" in line for line in lines] == [True, True, False, False, False]
