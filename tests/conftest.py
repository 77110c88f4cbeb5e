"""Prints what the corpora of `tests/suites` came to, whichever process judged them.

It stands here because the controller of xdist reads no conftest further down.
"""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the matrix of each suite: answer x check, a cell that differs as `seen, not wanted`."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == "matrix" and report.when == "call":
                    terminalreporter.section(report.nodeid.rpartition("[")[2].rstrip("]"))
                    terminalreporter.write_line(str(value))
