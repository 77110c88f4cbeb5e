"""The entry point: options, markers, the fixture `observe`. Heavy modules are imported when a check needs them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench import hookspecs
from pytest_llmbench.actions import Actions, is_in_actions
from pytest_llmbench.brief import Brief
from pytest_llmbench.collecting import Collecting, register_suite
from pytest_llmbench.grading import Grading
from pytest_llmbench.measuring import Measuring
from pytest_llmbench.options import add_options
from pytest_llmbench.recording import Recording
from pytest_llmbench.run import SUITE_FILE, Run

if TYPE_CHECKING:
    from pytest_llmbench.candidate import Observe
    from pytest_llmbench.load.fixture import Measure

GRADING: pytest.StashKey[Grading] = pytest.StashKey()
MEASURING: pytest.StashKey[Measuring] = pytest.StashKey()
MARKERS = {
    "easy": "difficulty 1 of 5",
    "hard": "difficulty 2 of 5",
    "expert": "difficulty 3 of 5",
    "nightmare": "difficulty 4 of 5",
    "practical": "difficulty of everyday operations",
    "concurrency": "threads, processes and who owns what",
    "security": "injection, leaks, hostile input",
    "money": "amounts that must be exact",
    "protocol": "what goes over the wire",
    "robustness": "start, stop, failure",
    "shell": "shell scripts",
    "must_pass": "the gate lets it fail not even once, see --llm-must-pass",
    "speed": "how fast an endpoint answers; not part of a plain run, see --llm-speed",
}


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare what others may add."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the --llm options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, those of the suites at hand included, and the hooks for the part this process plays."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    here = Path(__file__).parent
    # In the wheel the suites lie inside the package, in a checkout beside it.
    for suite in sorted((*here.glob(f"suites/*/{SUITE_FILE}"), *here.parent.glob(f"suites/*/{SUITE_FILE}"))):
        register_suite(config, suite.parent.name)
    run = Run(config)
    config.stash[GRADING] = grading = Grading(run)
    config.stash[MEASURING] = measuring = Measuring(run)
    parts: list[object] = [Collecting(run), grading, measuring, Brief()]
    if not run.is_worker:
        parts.append(recording := Recording(run))
        if is_in_actions():
            parts.append(Actions(lambda: recording.report))
    for part in parts:
        config.pluginmanager.register(part, f"llmbench-{type(part).__name__.lower()}")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Start no workers where nothing is run."""
    if config.getoption("llm_export_prompts") and config.pluginmanager.hasplugin("xdist"):
        config.option.numprocesses, config.option.dist = None, "no"
    return (yield)


@pytest.fixture
def observe(request: pytest.FixtureRequest) -> Observe:
    """The model's answer to this suite's letter: call it with a scenario of the judge to see what the answer does."""
    return request.config.stash[GRADING].attempt(request.node)


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> Measure:
    """An endpoint, alone: call it with a workload to see how fast it is."""
    return request.config.stash[MEASURING].measure(request.node, request.param)
