"""Hooks that run the checks: in a worker of xdist, or in the only process."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from pytest_llmbench.options import typed_path, value_of
from pytest_llmbench.run import CASE, Run, is_given_up

if TYPE_CHECKING:
    from pytest_llmbench.asking import Case
    from pytest_llmbench.check import Attempt, Grader
    from pytest_llmbench.model.check import Check

KNOWN: pytest.StashKey[Check] = pytest.StashKey()
"""On an item: how its check ended before the run was cut off."""
ATTEMPT: pytest.StashKey[Attempt] = pytest.StashKey()
"""On an item: its check, once begun."""


class Grading:
    """Asks for the answers, begins the checks and says how they ended."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._cases: list[Case] = []
        self._grader: Grader | None = None
        self._place: IO[bytes] | None = None
        """Says for as long as it is open that somebody writes to the run folder."""

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
            from pytest_llmbench.prompts import write_prompts

            suites = {case.suite.name: case.suite for case in self._cases}
            write_prompts(typed_path(self._run.config, folder), suites.values())
            return True
        if checks and self._run.settings.session > 1:
            self._recall(checks)
        if all(item.stash[CASE].endpoint.replay is not None for item in checks):
            return None  # nothing to wait for
        from pytest_llmbench.turns import may_choose, run_in_turn

        if len({case.key for case in self._cases}) <= 1 or not may_choose(session):
            return None
        run_in_turn(session, lambda cases, *, wait: self._begin().first_there(cases, wait=wait))
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Judge no check a second time that was judged before the run was cut off."""
        known = pyfuncitem.stash.get(KNOWN, None)
        if known is None:
            return None
        from pytest_llmbench.verdict import end_again

        end_again(known)
        return True

    def _begin(self) -> Grader:
        """Ask for all answers, once."""
        from pytest_llmbench.check import Grader
        from pytest_llmbench.runfolder import RunFolder
        from pytest_llmbench.runlocks import GRADING

        if self._grader is None:
            self._place = RunFolder(Path(self._run.settings.out)).share(GRADING)
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
            from pytest_llmbench.verdict import tell, tell_again

            attempt = item.stash.get(ATTEMPT, None)
            known = item.stash.get(KNOWN, None) if call.when == "call" else None
            if known is None:
                tell(item, report, item.stash[CASE].key, call.excinfo.value if call.excinfo else None, attempt)
            else:
                tell_again(item, report, known, attempt)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let go of endpoints and sandbox, before the report is written."""
        if self._grader is not None:
            # Only beside other workers can somebody else need an answer that is still coming.
            self._grader.close(wait=self._run.is_worker and not is_given_up(session))
        if self._place is not None:
            self._place.close()

    def _recall(self, items: Sequence[pytest.Item]) -> None:
        """Note the checks that were judged before the run was cut off, and whose answers are still there."""
        from pytest_llmbench.check import known_checks

        known = known_checks(self._run.settings, self._cases)
        for item in items:
            if item.nodeid in known:
                item.stash[KNOWN] = known[item.nodeid]
