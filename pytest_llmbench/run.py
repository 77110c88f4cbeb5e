"""What the hooks of one pytest session share."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.settings import SPEED
from pytest_llmbench.options import read_settings, server_kinds, settings_from_text, value_of

if TYPE_CHECKING:
    from pytest_llmbench.fetch import Case
    from pytest_llmbench.model.settings import Settings
    from pytest_llmbench.servers.kind import ServerKind

SUITE_FILE = "suite.yaml"
CASE: pytest.StashKey[Case] = pytest.StashKey()
"""On an item: the answer that it checks."""


class Run:
    """One session of pytest: in the controller, in a worker, or alone."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.began_s = time.monotonic()
        self.is_worker = hasattr(config, "workerinput")

    @cached_property
    def settings(self) -> Settings:
        """Decided by the controller, handed to the workers."""
        if self.is_worker:
            return settings_from_text(self.config.workerinput["llmbench"])  # type: ignore[attr-defined]
        try:
            return read_settings(self.config)
        except UsageFault as fault:
            raise pytest.UsageError(str(fault)) from fault

    @cached_property
    def server_kinds(self) -> Mapping[str, ServerKind]:
        """Ours and those that conftest files and plugins add."""
        return server_kinds(self.config)

    @property
    def endpoint_names(self) -> frozenset[str]:
        """What stands between the brackets of a check's id."""
        return frozenset(endpoint.name for endpoint in self.settings.endpoints)

    @property
    def measurable_names(self) -> frozenset[str]:
        """What stands between the brackets of a speed test's id; a replay has no speed."""
        return frozenset(endpoint.name for endpoint in self.settings.endpoints if endpoint.replay is None)

    @property
    def is_used(self) -> bool:
        """Whether the command line asks for endpoints or for a suite; cheap, and good enough for a header."""
        return bool(value_of(self.config, "endpoint")) or any(map(_names_a_suite, self.config.args))


def is_speed_test(test: pytest.Item | pytest.Metafunc) -> bool:
    """Whether a test measures an endpoint: it is marked `speed` and asks for `measure`; others may have used one of the names."""
    node = test.definition if isinstance(test, pytest.Metafunc) else test
    return "measure" in getattr(test, "fixturenames", ()) and node.get_closest_marker(SPEED) is not None


def is_given_up(session: pytest.Session) -> bool:
    """Whether the session ends before all tests have run."""
    return bool(session.shouldstop or session.shouldfail)


def _names_a_suite(argument: str) -> bool:
    if argument.startswith("pytest_llmbench.suites"):
        return True
    path = Path(argument.partition("::")[0])
    folder = path if path.is_dir() else path.parent
    return (folder / SUITE_FILE).exists() or any(folder.glob(f"*/{SUITE_FILE}"))
