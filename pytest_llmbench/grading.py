"""Hooks that run the checks: in a worker of xdist, or in the only process."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.options import typed_path, value_of
from pytest_llmbench.run import CASE, Run, is_given_up

if TYPE_CHECKING:
    from pytest_llmbench.check import Attempt, Grader
    from pytest_llmbench.fetch import Case

ATTEMPT: pytest.StashKey[Attempt] = pytest.StashKey()
"""On an item: its check, once begun."""


class Grading:
    """Asks for the answers, begins the checks and says how they ended."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._cases: list[Case] = []
        self._grader: Grader | None = None

    def attempt(self, item: pytest.Item) -> Attempt:
        """Begin a check.

        Raises:
            EndpointError: the model gave no whole answer.
        """
        from pytest_llmbench.check import Attempt

        item.stash[ATTEMPT] = attempt = Attempt(self._begin(), item.stash[CASE])
        attempt.fetch()
        return attempt

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Grade answers in the order in which they come; or only write the prompts."""
        checks = [item for item in session.items if CASE in item.stash]
        self._cases = [item.stash[CASE] for item in checks if not item.get_closest_marker("skip")]
        folder = value_of(self._run.config, "export-prompts")
        if folder is not None:
            _export_prompts(typed_path(self._run.config, folder), self._cases)
            return True
        if all(item.stash[CASE].endpoint.replay is not None for item in checks):
            return None  # nothing to wait for
        from pytest_llmbench.turns import may_choose, run_in_turn

        if len({case.key for case in self._cases}) <= 1 or not may_choose(session):
            return None
        run_in_turn(session, lambda cases, *, wait: self._begin().first_there(cases, wait=wait))
        return True

    def _begin(self) -> Grader:
        """Ask for all answers, once."""
        from pytest_llmbench.check import Grader

        if self._grader is None:
            self._grader = Grader(self._run.settings)
            self._grader.expect(self._cases)
        return self._grader

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say which of the six ways a check ended."""
        report = yield
        ended = call.when == "call" or (call.when == "setup" and report.failed)
        if ended and CASE in item.stash and not report.skipped:
            from pytest_llmbench.verdict import tell

            error = call.excinfo.value if call.excinfo else None
            tell(item, report, item.stash[CASE].key, error, item.stash.get(ATTEMPT, None))
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let go of endpoints and sandbox, before the report is written."""
        if self._grader is not None:
            # Only beside other workers can somebody else need an answer that is still coming.
            self._grader.close(wait=self._run.is_worker and not is_given_up(session))


def _export_prompts(folder: Path, cases: Sequence[Case]) -> None:
    """Write each suite's prompt, byte for byte what a model is sent."""
    folder.mkdir(parents=True, exist_ok=True)
    for suite in {case.suite.name: case.suite for case in cases}.values():
        (folder / f"{suite.name}.md").write_bytes(suite.prompt.encode())
