from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_llmbench.asking import Case
from pytest_llmbench.check import Attempt, Grader, known_checks
from pytest_llmbench.errors import GraderError
from pytest_llmbench.keeping import keep_suite
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import Completion, Exchange
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.suite import load_suite

ENDPOINT = Endpoint("new", replay="")
NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def case(tmp_path: Path) -> Case:
    place = tmp_path / "demo"
    (place / "answers").mkdir(parents=True)
    (place / "suite.yaml").write_text("title: Payouts\ndifficulty: easy\n")
    (place / "prompt.md").write_text("Payouts are off.\n")
    (place / "answers" / "reference.md").write_text("Now they are right.")
    return Case(ENDPOINT, load_suite(place), 1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings((ENDPOINT,), str(tmp_path / "run"), "r-1", NOW, 3, session=2)


@pytest.fixture
def folder(settings: Settings) -> RunFolder:
    return RunFolder(Path(settings.out))


@pytest.fixture
def grader(settings: Settings) -> Iterator[Grader]:
    grader = Grader(settings)
    yield grader
    grader.close(wait=False)


def completion(case: Case, error: str | None = None, session: int = 1) -> Completion:
    exchange = Exchange("As it was.") if error is None else None
    return Completion(*case.key, {}, NOW, exchange, error, session=session)


def test_an_answer_that_is_there_is_not_asked_for(grader: Grader, folder: RunFolder, case: Case) -> None:
    folder.write_completion(completion(case))
    grader.expect([case])
    assert grader.completion(case) == completion(case)


def test_what_failed_in_an_earlier_session_is_asked_for_again(grader: Grader, folder: RunFolder, case: Case) -> None:
    folder.write_completion(completion(case, "no route"))
    grader.expect([case])
    got = grader.completion(case)
    assert got.exchange is not None
    assert (got.exchange.content, got.session) == ("Now they are right.", 2)
    assert folder.read_completion(case.key) == got


def test_what_failed_in_this_session_is_not(grader: Grader, folder: RunFolder, case: Case) -> None:
    folder.write_completion(failed := completion(case, "no route", session=2))
    grader.expect([case])
    assert grader.completion(case) == failed


def test_a_suite_that_has_changed_is_not_asked_in_the_old_run(grader: Grader, folder: RunFolder, case: Case) -> None:
    keep_suite(folder, replace(case.suite, prompt="Payouts were off."))
    grader.expect([case])
    with pytest.raises(GraderError, match="the suite demo asks something else than when this run began"):
        Attempt(grader, case).fetch()
    assert folder.completions() == ()


def check(name: str, outcome: Outcome, case: Case) -> Check:
    return Check(*case.key[:2], name, case.sample, outcome, None, 0.1, f"demo/test_demo.py::test_{name}[new]")


def test_verdicts_hold_while_answer_and_suite_are_as_they_were(
    settings: Settings, folder: RunFolder, case: Case
) -> None:
    keep_suite(folder, case.suite)
    checks = [check("a", Outcome.PASSED, case), check("b", Outcome.WRONG, case), check("c", Outcome.GRADER_ERROR, case)]

    def judge() -> None:
        for each in checks:
            folder.append("check", each)

    judge()
    assert known_checks(settings, [case]) == {}
    folder.write_completion(completion(case, "no route"))
    assert known_checks(settings, [case]) == {}
    folder.write_completion(completion(case))
    assert known_checks(settings, [case]) == {}, "verdicts on an answer that was lost are none on the next one"
    judge()
    assert known_checks(settings, [case]) == {one.nodeid: one for one in checks[:2]}
    assert known_checks(settings, []) == {}
    changed = replace(case, suite=replace(case.suite, title="Shares"))
    (case.suite.folder / "judge.py").write_text("# stricter\n")
    assert known_checks(settings, [changed]) == {}
