"""The entry point: options, markers, the fixture `observe`. Heavy modules are imported when a check needs them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench.options import add_options
from pytest_llmbench.session import SESSION, SUITE_FILE, LlmbenchSession

if TYPE_CHECKING:
    from pytest_llmbench.candidate import Observe

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
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the --llm options."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, those of the suites at hand included, and the session's hooks."""
    for name, meaning in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    here = Path(__file__).parent
    # In the wheel the suites lie inside the package, in a checkout beside it.
    for suite in sorted((*here.glob(f"suites/*/{SUITE_FILE}"), *here.parent.glob(f"suites/*/{SUITE_FILE}"))):
        register_suite(config, suite.parent.name)
    config.stash[SESSION] = LlmbenchSession(config)
    config.pluginmanager.register(config.stash[SESSION], "llmbench-session")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, Any, Any]:
    """Start no workers where nothing is run."""
    if config.getoption("llm_export_prompts") and config.pluginmanager.hasplugin("xdist"):
        config.option.numprocesses, config.option.dist = None, "no"
    return (yield)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> None:
    """Register the marker of a suite that lies elsewhere, before its test module is imported."""
    if (file_path.parent / SUITE_FILE).exists():
        register_suite(parent.config, file_path.parent.name)


@pytest.fixture
def observe(request: pytest.FixtureRequest) -> Observe:
    """The model's answer to this suite's letter: call it with a scenario of the judge to see what the answer does."""
    return request.config.stash[SESSION].attempt(request.node)


def register_suite(config: pytest.Config, name: str) -> None:
    """Make the name of a suite a known marker."""
    config.addinivalue_line("markers", f"{name}: checks of the suite {name}")
