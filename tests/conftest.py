"""What concerns all tests, and what xdist's controller does, which reads no conftest further down."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import hypothesis
import pytest

from .dealing import Dealing, place_of

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

hypothesis.settings.register_profile("ours", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("ours")

# Hundreds of tests run pytest in processes of their own. Where no bytecode is kept, as in many containers, each of them
# would compile all that is not installed: a quarter of its time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SLOWEST_SHOWN = 60
"""Tests whose durations end the log: what keeps the suite within its time is decided by them."""


def pytest_configure(config: pytest.Config) -> None:
    """Register our own marker; show where the time goes."""
    if config.option.durations is None:
        config.option.durations = SLOWEST_SHOWN
    config.addinivalue_line("markers", "extended: downloads or compiles for minutes; runs with `-m extended` only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the extended tests unless they are asked for; begin with what takes longest."""
    items.sort(key=lambda item: place_of(item.nodeid))
    if "extended" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("extended")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Deal out what is costly to make to one worker, whatever way is asked for."""
    config.option.loadscopereorder = False  # it would go by the number of tests, and the costliest are few
    return Dealing(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the matrix of each suite: answer x check, a cell that differs as `seen, not wanted`."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == "matrix" and report.when == "call":
                    terminalreporter.section(report.nodeid.rpartition("[")[2].rstrip("]"))
                    terminalreporter.write_line(str(value))
