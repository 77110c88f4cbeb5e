"""What concerns all tests, and what xdist's controller does, which reads no conftest further down."""

from __future__ import annotations

import hypothesis
import pytest

hypothesis.settings.register_profile("ours", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("ours")


def pytest_configure(config: pytest.Config) -> None:
    """Register our own marker."""
    config.addinivalue_line("markers", "extended: downloads or compiles for minutes; runs with `-m extended` only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the extended tests unless they are asked for."""
    if "extended" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("extended")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the matrix of each suite: answer x check, a cell that differs as `seen, not wanted`."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == "matrix" and report.when == "call":
                    terminalreporter.section(report.nodeid.rpartition("[")[2].rstrip("]"))
                    terminalreporter.write_line(str(value))
