"""How pytest ends: by the gate, where all that failed were checks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.gating import Gatekeeper, exit_status
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.report import Gate, Report
from pytest_llmbench.verdict import carried

if TYPE_CHECKING:
    from pytest_llmbench.run import Run


class Ending:
    """Hooks that note what the gate has to know; registered as soon as it is known what will run."""

    def __init__(self, run: Run, nodeids: Iterable[str], *, has_failed: bool) -> None:
        """Begin.

        Args:
            run: that is to end.
            nodeids: of all tests that will run.
            has_failed: whether something could not be collected.

        Raises:
            UsageFault: the baseline's quality cannot be compared with what would be found.
        """
        self._gatekeeper = Gatekeeper(run, nodeids)
        self._must_pass = run.settings.must_pass
        self._others_failed = has_failed
        """Whether something failed that is no check, and so not the gate's to forgive."""

    @property
    def baseline(self) -> Report | None:
        """The report of an earlier run; None if there is none."""
        return self._gatekeeper.baseline

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not be collected."""
        self._others_failed |= report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what failed besides checks, and what is not to be waited for."""
        self._others_failed |= report.failed and carried(report) is None
        if report.skipped:
            self._gatekeeper.skip(report.nodeid)

    def marked(self, check: Check, report: pytest.TestReport) -> Check:
        """Say of a check whether the gate lets it fail."""
        is_named = f"{check.suite}/{check.check}" in self._must_pass
        return replace(check, must_pass=is_named or "must_pass" in report.keywords)

    def judge(self, report: Report) -> Gate:
        """Give the verdict on a report that has none yet."""
        return self._gatekeeper.judge(report)

    def status(self, report: Report, status: int) -> int:
        """Return how pytest ends that would have ended with this status."""
        return status if self._others_failed else exit_status(report.gate, status)
