"""What the hooks of one pytest session share."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.settings import SPEED
from pytest_llmbench.options import read_settings, server_kinds, settings_from_text, value_of

if TYPE_CHECKING:
    from pytest_llmbench.asking import Case
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

    @cached_property
    def roots(self) -> tuple[Path, ...]:
        """Where the ids of tests begin: at the root folder, or at what the command line names if it lies elsewhere."""
        return (self.config.rootpath, *(place for argument in self.config.args for place in self._places(argument)))

    @property
    def is_used(self) -> bool:
        """Whether the command line asks for endpoints or for a suite; cheap, and good enough for a header."""
        return bool(value_of(self.config, "endpoint")) or any(map(_holds_suites, self.roots[1:]))

    def _places(self, argument: str) -> Iterator[Path]:
        """Yield the files and folders that an argument may mean; nothing is imported for it."""
        named = argument.partition("::")[0]
        yield Path(os.path.abspath(self.config.invocation_params.dir / named))  # noqa: PTH100 - keeps links, as pytest does
        top, *inner = named.split(".")
        with suppress(ImportError, ValueError, AttributeError):  # as pytest has it
            spec = find_spec(top) if self.config.option.pyargs else None
            for base in (spec and spec.submodule_search_locations) or ():
                place = Path(base, *inner)
                yield place if place.is_dir() else place.with_suffix(".py")


def is_speed_test(test: pytest.Item | pytest.Metafunc) -> bool:
    """Whether a test measures an endpoint: it is marked `speed` and asks for our `measure`; others may use the names, too."""
    node = test.definition if isinstance(test, pytest.Metafunc) else test
    asked = getattr(node, "_fixtureinfo", None)  # pytest has no other way to tell whose fixture it is
    found = asked.name2fixturedefs.get("measure") if asked is not None else None
    is_ours = found is not None and found[-1].func.__module__ == f"{__package__}.plugin"
    return is_ours and node.get_closest_marker(SPEED) is not None


def is_given_up(session: pytest.Session) -> bool:
    """Whether the session ends before all tests have run."""
    return bool(session.shouldstop or session.shouldfail)


def _holds_suites(place: Path) -> bool:
    folder = place if place.is_dir() else place.parent
    return (folder / SUITE_FILE).exists() or any(folder.glob(f"*/{SUITE_FILE}"))
