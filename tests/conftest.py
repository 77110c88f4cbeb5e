"""What concerns all tests, and what xdist's controller does, which reads no conftest further down."""

from __future__ import annotations

import os

import hypothesis
import pytest

hypothesis.settings.register_profile("ours", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("ours")

# Hundreds of tests run pytest in processes of their own. Where no bytecode is kept, as in many containers, each of them
# would compile all that is not installed: a quarter of its time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SLOWEST_SHOWN = 60
"""Tests whose durations end the log: what keeps the suite within its time is decided by them."""

LONGEST_FIRST = ("corpus-0", "corpus-1", "transformers-serve", "llama-server", "test_wheel")
"""Groups of xdist, or modules, that keep one worker for minutes: begun last, they would leave the others idle."""


def pytest_configure(config: pytest.Config) -> None:
    """Register our own marker; show where the time goes."""
    if config.option.durations is None:
        config.option.durations = SLOWEST_SHOWN
    config.addinivalue_line("markers", "extended: downloads or compiles for minutes; runs with `-m extended` only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the extended tests unless they are asked for; begin with what takes longest."""
    items.sort(key=_place)
    if "extended" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("extended")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _place(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    name = group.args[0] if group else item.path.stem
    return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the matrix of each suite: answer x check, a cell that differs as `seen, not wanted`."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == "matrix" and report.when == "call":
                    terminalreporter.section(report.nodeid.rpartition("[")[2].rstrip("]"))
                    terminalreporter.write_line(str(value))
