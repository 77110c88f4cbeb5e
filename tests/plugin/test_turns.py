"""Answers are graded in the order in which they come."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.scripted_server import Reply, Request, ScriptedServer, streamed
from tests.plugin.conftest import RIGHT, WRONG, Demo

LOOP = """
import json, pathlib, pytest
from types import SimpleNamespace
from pytest_llmbench.run import CASE
from pytest_llmbench.turns import run_in_turn

ARRIVALS = json.loads(pathlib.Path("arrivals.json").read_text())
PEEKS = {peeks}

def pytest_collection_modifyitems(items):
    for item in items:
        if hasattr(item, "callspec"):
            item.stash[CASE] = SimpleNamespace(key=item.callspec.params["answer"])

@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    def first_there(cases, *, wait):
        return min(cases, key=lambda case: ARRIVALS.index(case.key)) if wait or PEEKS else None
    run_in_turn(session, first_there)
    return True
"""
CHECKS = """
import pytest

@pytest.fixture(scope="module")
def shared():
    print("set up", __name__)
    yield
    print("torn down", __name__)

@pytest.mark.parametrize("answer", {answers!r})
def test_it(answer, shared):
    print("ran", __name__, answer)
"""


def graded(pytester: pytest.Pytester, arrivals: list[str], *, peeks: bool) -> list[str]:
    """Run modules with checks of two answers each, and a test of something else in between.

    With `peeks`, the next answer is always there before the last one is done with.
    """
    pytester.makeconftest(LOOP.replace("{peeks}", str(peeks)))
    for module, answers in {"test_a": ["a1", "a2"], "test_c": ["c1", "c2"], "test_d": ["d1"]}.items():
        pytester.makepyfile(**{module: CHECKS.format(answers=answers)})
    pytester.makepyfile(test_b='def test_else():\n    print("ran test_b -")\n')
    (pytester.path / "arrivals.json").write_text(json.dumps(arrivals))
    result = pytester.runpytest_subprocess("-s", "-p", "no:llmbench", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=6)
    return re.findall(r"(?:set up|ran|torn down) test_\w.*", result.stdout.str())


@pytest.mark.parametrize("peeks", [False, True])
def test_answers_take_their_turn_and_other_tests_keep_their_place(pytester: pytest.Pytester, *, peeks: bool) -> None:
    lines = graded(pytester, ["a2", "d1", "c2", "a1", "c1"], peeks=peeks)
    assert [line for line in lines if line.startswith("ran")] == [
        "ran test_a a2",
        "ran test_a a1",
        "ran test_b -",
        "ran test_d d1",
        "ran test_c c2",
        "ran test_c c1",
    ]


@pytest.mark.parametrize("peeks", [False, True])
@pytest.mark.parametrize("arrivals", [["c1", "d1", "c2", "a1", "a2"], ["d1", "c2", "c1", "a2", "a1"]])
def test_what_a_module_shares_is_torn_down_whoever_comes_next(
    pytester: pytest.Pytester, arrivals: list[str], *, peeks: bool
) -> None:
    lines = graded(pytester, arrivals, peeks=peeks)
    for module in ("test_a", "test_c", "test_d"):
        own = [line.replace(f" {module}", "").split()[0] for line in lines if module in line]
        assert own[0] == "set"
        assert own[-1] == "torn"
        assert own.count("set") == own.count("torn")


def test_what_the_next_answer_shares_is_kept_if_it_is_there(pytester: pytest.Pytester) -> None:
    lines = graded(pytester, ["d1", "c2", "c1", "a2", "a1"], peeks=True)
    assert [lines.count(f"set up test_{module}") for module in "acd"] == [1, 1, 1]


class Latecomer:
    """A script whose first answer is late: it comes when `is_time`, of what the run folder holds, is true."""

    def __init__(self, out: Path, is_time: Callable[[Path], bool]) -> None:
        self.was_time: bool | None = None
        """None: it was not asked yet."""
        self._out = out
        self._is_time = is_time
        self._first = threading.Lock()
        self._never = threading.Event()

    def __call__(self, request: Request) -> Reply:  # noqa: ARG002 - every answer is the same
        if self._first.acquire(blocking=False):
            self.was_time = any(self._is_time(self._out) or self._never.wait(0.05) for _ in range(1200))
        return streamed(RIGHT)


def checks_done(out: Path) -> int:
    journal = out / "journal.jsonl"
    lines = journal.read_text().splitlines() if journal.exists() else []
    return sum(json.loads(line)["kind"] == "check" for line in lines)


def test_a_late_answer_keeps_nobody_waiting(demo: Demo) -> None:
    script = Latecomer(demo.out, lambda out: checks_done(out) == 8)
    with ScriptedServer(script) as server:
        demo.run(f"--llm-endpoint={server.url}", "--llm-samples=5").assert_outcomes(passed=10)
    assert script.was_time
    assert len(server.requests) == 5


BACKWARDS = """
def pytest_runtestloop(session):
    items = session.items[::-1]
    for item, nextitem in zip(items, [*items[1:], None]):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
    return True
"""


@pytest.mark.parametrize(
    ("arguments", "conftest", "order"),
    [
        ("", "", "as they come"),
        ("--continue-on-collection-errors", "", "as they come"),
        ("--sw", "", "of the list"),
        ("--ff", "", "of the list"),
        ("--nf", "", "of the list"),
        ("", "def pytest_runtestloop():\n    pass\n", "of the list"),
        ("", BACKWARDS, "backwards"),
    ],
)
def test_an_order_that_others_want_is_kept(demo: Demo, arguments: str, conftest: str, order: str) -> None:
    demo.pytester.makeconftest(conftest)
    if "collection-errors" in arguments:
        demo.write("test_broken.py", "import no_such_module\n")
    script = Latecomer(demo.out, lambda out: len(list(out.glob("completions/*/*.json"))) == 2)
    with ScriptedServer(script) as server:
        demo.run(f"--llm-endpoint=e={server.url}", "--llm-samples=3", *arguments.split())
    rows = [json.loads(line) for line in (demo.out / "journal.jsonl").read_text().splitlines()]
    came, graded = (
        [row["record"]["sample"] for row in rows if row["kind"] == kind] for kind in ("completion", "check")
    )
    assert sorted(graded) == [1, 1, 2, 2, 3, 3]
    # Two came together, before any check was begun or after; the third is late for sure.
    assert {
        "as they come": graded[0] != came[-1],
        "of the list": graded == [1, 1, 2, 2, 3, 3],
        "backwards": graded == [3, 3, 2, 2, 1, 1],
    }[order]


@pytest.mark.parametrize("arguments", [("--setup-plan",), ("--collect-only",)])
def test_nothing_is_asked_where_nothing_runs(demo: Demo, arguments: tuple[str, ...]) -> None:
    with ScriptedServer(streamed(RIGHT)) as server:
        demo.run(f"--llm-endpoint={server.url}", "--llm-samples=3", *arguments)
    assert server.requests == []


@pytest.mark.parametrize("arguments", [("-x",), ("--maxfail=1",), ("--sw",)])
def test_the_first_failure_ends_the_run_if_it_shall(demo: Demo, arguments: tuple[str, ...]) -> None:
    with ScriptedServer(streamed(WRONG)) as server:
        result = demo.run(f"--llm-endpoint={server.url}", "--llm-samples=3", "-k", "exact", *arguments)
    result.assert_outcomes(failed=1)
    assert result.ret == (pytest.ExitCode.INTERRUPTED if "--sw" in arguments else pytest.ExitCode.TESTS_FAILED)


def test_errors_of_collection_end_the_run(demo: Demo) -> None:
    demo.write("test_broken.py", "import no_such_module\n")
    with ScriptedServer(streamed(RIGHT)) as server:
        result = demo.run(f"--llm-endpoint={server.url}", "--llm-samples=3")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert server.requests == []
