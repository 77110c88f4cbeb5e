"""In GitHub Actions: the job's summary, annotations, and no commands out of anybody's answers."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_llmbench.model.report import Report

SUMMARY_FILE = "GITHUB_STEP_SUMMARY"


def is_in_actions(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a runner of GitHub Actions, or of one that says that it is alike, reads what is printed."""
    return environ.get("GITHUB_ACTIONS") == "true"


class Actions:
    """Hooks of the controller; register them only where `is_in_actions`."""

    def __init__(self, report: Callable[[], Report | None], environ: Mapping[str, str] = os.environ) -> None:
        """Begin.

        Args:
            report: returns what the run found once the session has finished; None if nothing of ours was run.
            environ: where the runner says where the summary lies.
        """
        self._report = report
        self._environ = environ

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
        """Show what failed, with all that candidates and servers printed, as text; then say it in our own words.

        A runner takes `::set-output …` at the beginning of a line and `##[add-mask]…` anywhere in it for a command,
        whoever wrote it.
        """
        report = self._report()
        if report is None:
            return (yield)
        from pytest_llmbench.reports import github

        token = secrets.token_hex(16)
        terminalreporter.ensure_newline()
        terminalreporter.write_line(github.stop_commands(token))
        try:
            return (yield)
        finally:
            terminalreporter.ensure_newline()
            terminalreporter.write_line(github.resume_commands(token))
            for annotation in github.find_annotations(report):
                terminalreporter.write_line(github.command(annotation))
            self._write_summary(report, terminalreporter)

    def _write_summary(self, report: Report, terminalreporter: pytest.TerminalReporter) -> None:
        """Append to what the step has said already; a summary that cannot be written costs nobody the run."""
        given = self._environ.get(SUMMARY_FILE)
        if not given:
            return
        from pytest_llmbench.reports import github

        path = Path(given)
        try:
            taken_bytes = path.stat().st_size if path.exists() else 0
            with path.open("a", encoding="utf-8", errors="replace") as file:
                file.write(github.summary(report, taken_bytes))
        except OSError as error:
            terminalreporter.write_line(f"llmbench: cannot write the job's summary to {given}: {error.strerror}")
