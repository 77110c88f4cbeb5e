"""In GitHub Actions: the job's summary, annotations, and no commands out of anybody's answers."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.run import Run

if TYPE_CHECKING:
    from pytest_llmbench.model.report import Report

SUMMARY_FILE = "GITHUB_STEP_SUMMARY"


def is_in_actions(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a runner of GitHub Actions, or of one that says that it is alike, reads what is printed."""
    return environ.get("GITHUB_ACTIONS") == "true"


class Actions:
    """Hooks of the controller; register them only where `is_in_actions`.

    A runner takes `::set-output …` at the beginning of a line and `##[add-mask]…` anywhere in it for a command,
    whoever wrote it: a model, a candidate, or a server that says what its model is called.
    """

    def __init__(self, report: Callable[[], Report | None], environ: Mapping[str, str] = os.environ) -> None:
        """Begin.

        Args:
            report: returns what the run found once the session has finished; None if nothing of ours was run.
            environ: where the runner says where the summary lies.
        """
        self._report = report
        self._environ = environ
        self._terminal: pytest.TerminalReporter | None = None
        self._token: str | None = None
        """Of the line after which nothing is a command; None where commands are obeyed."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Have nothing obeyed from the header on, which says what servers say of themselves."""
        self._terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        if Run(session.config).is_used:
            self._stop_commands()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
        """Show what failed, with all that candidates and servers printed, as text; then say it in our own words."""
        report = self._report()
        if report is None:
            return (yield)
        from pytest_llmbench.reports import github

        self._stop_commands()
        try:
            return (yield)
        finally:
            self._resume_commands()
            for annotation in github.find_annotations(report):
                terminalreporter.write_line(github.command(annotation))
            self._write_summary(report, terminalreporter)

    def pytest_unconfigure(self) -> None:
        """Leave no runner deaf to what comes after this session."""
        self._resume_commands()

    def _stop_commands(self) -> None:
        if self._terminal is None or self._token is not None:
            return
        from pytest_llmbench.reports import github

        self._token = secrets.token_hex(16)
        self._terminal.ensure_newline()
        self._terminal.write_line(github.stop_commands(self._token))

    def _resume_commands(self) -> None:
        if self._terminal is None or self._token is None:
            return
        from pytest_llmbench.reports import github

        self._terminal.ensure_newline()
        self._terminal.write_line(github.resume_commands(self._token))
        self._token = None

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
