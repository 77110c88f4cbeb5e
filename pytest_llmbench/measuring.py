"""Hooks that run the speed tests: they measure one endpoint after the other, with nothing else beside them."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.errors import ContextTooSmallError, EndpointError
from pytest_llmbench.model.settings import SPEED
from pytest_llmbench.options import value_of
from pytest_llmbench.run import CASE, Run, is_speed_test

if TYPE_CHECKING:
    from pytest_llmbench.load.fixture import Measure, Measurers

_HERE = Path(__file__).parent
_FOLDERS = (_HERE / "suites" / SPEED, _HERE.parent / "suites" / SPEED)
"""Our own speed tests: in the wheel inside the package, in a checkout beside it."""

MEASURED: pytest.StashKey[Measure] = pytest.StashKey()
"""On an item: what it measured."""


class Measuring:
    """Collects the speed tests where they are wanted, and hands their rows to whoever writes the report."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._measurers: Measurers = {}

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave the speed tests out of a plain run: they take minutes and need a server to themselves."""
        return True if collection_path in _FOLDERS and not _is_wanted(self._run.config) else None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrise speed tests over endpoints."""
        if is_speed_test(metafunc):
            names = [endpoint.name for endpoint in self._run.settings.endpoints]
            metafunc.parametrize("measure", names, indirect=True)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put speed last: by then the server has answered everything else.

        Servers that may have to follow each other are each done with before the next one's tests begin.
        """
        turn = (
            {one.name: place for place, one in enumerate(self._run.settings.endpoints)} if self._takes_turns() else {}
        )
        items.sort(key=lambda item: (turn.get(_endpoint_of(item) or "", -1), is_speed_test(item)))

    def _takes_turns(self) -> bool:
        return any(endpoint.serve is not None for endpoint in self._run.settings.endpoints)

    def measure(self, item: pytest.Item, endpoint: str) -> Measure:
        """Take an endpoint for a test.

        Raises:
            EndpointError: it cannot be asked.
        """
        from pytest_llmbench.load.fixture import Measure

        whom = self._run.settings.endpoint(endpoint)
        if whom.replay is not None:
            pytest.skip(f"{endpoint} is a replay, which has no speed; name a server by --llm-endpoint")
        item.stash[MEASURED] = measure = Measure(self._run.settings, whom, self._measurers)
        return measure

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let the test's report carry the rows, also from a worker of xdist."""
        report = yield
        measure = item.stash.get(MEASURED, None)
        if call.when == "call" and measure is not None:
            from pytest_llmbench.verdict import carry_speed

            carry_speed(report, measure.rows)
            error = call.excinfo.value if call.excinfo is not None else None
            if isinstance(error, ContextTooSmallError):
                report.outcome, report.longrepr = "skipped", (str(item.path), 0, f"Skipped: {error}")
            elif isinstance(error, EndpointError):
                report.longrepr = f"infra_error: {error}"
                report.when = "setup"  # an error, not the model's failure
        return report


def _endpoint_of(item: pytest.Item) -> str | None:
    if CASE in item.stash:
        return item.stash[CASE].endpoint.name
    callspec = getattr(item, "callspec", None)
    return callspec.params["measure"] if callspec is not None and is_speed_test(item) else None


def _is_wanted(config: pytest.Config) -> bool:
    selected = f"{config.option.markexpr} {config.option.keyword}"
    asked_by_path = any(re.search(rf"suites[/.]{SPEED}\b", argument) for argument in config.args)
    return bool(value_of(config, "speed")) or asked_by_path or re.search(rf"\b{SPEED}\b", selected) is not None
