"""Hooks that turn the test functions of a suite into checks of endpoints and samples; in every process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.errors import GraderError
from pytest_llmbench.run import CASE, SUITE_FILE, Run

if TYPE_CHECKING:
    from pytest_llmbench.suite import Suite


class Collecting:
    """Parametrises, marks and orders the checks."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._suites: dict[Path, Suite] = {}

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> None:
        """Register the marker of a suite that lies elsewhere, before its test module is imported."""
        if (file_path.parent / SUITE_FILE).exists():
            register_suite(parent.config, file_path.parent.name)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrise the checks over endpoints and samples."""
        folder = metafunc.definition.path.parent
        if "observe" not in metafunc.fixturenames or not (folder / SUITE_FILE).exists():
            return
        from pytest_llmbench.nodeids import case_id

        self._load_suite(folder)
        settings = self._run.settings
        samples = range(1, settings.samples + 1)
        cases = [(endpoint.name, sample) for endpoint in settings.endpoints for sample in samples]
        metafunc.parametrize("observe", cases, indirect=True, ids=[case_id(*case) for case in cases])

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Attach a check to its case, and mark it with its suite and difficulty."""
        callspec = getattr(item, "callspec", None)
        if callspec is None or "observe" not in callspec.params or not (item.path.parent / SUITE_FILE).exists():
            return
        from pytest_llmbench.asking import Case

        suite = self._load_suite(item.path.parent)
        endpoint, sample = callspec.params["observe"]
        item.stash[CASE] = Case(self._run.settings.endpoint(endpoint), suite, sample)
        item.add_marker(suite.name)
        item.add_marker(suite.difficulty)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the checks of one answer together, so that an answer that is there does not wait for one that is not."""
        first: dict[object, int] = {}
        places = {
            item: first.setdefault(item.stash[CASE].key if CASE in item.stash else item, place)
            for place, item in enumerate(items)
        }
        items.sort(key=places.__getitem__)

    def _load_suite(self, folder: Path) -> Suite:
        if folder not in self._suites:
            from pytest_llmbench.suite import load_suite

            try:
                self._suites[folder] = load_suite(folder)
            except GraderError as error:
                raise pytest.Collector.CollectError(str(error)) from error
        return self._suites[folder]


def register_suite(config: pytest.Config, name: str) -> None:
    """Make the name of a suite a known marker."""
    config.addinivalue_line("markers", f"{name}: checks of the suite {name}")
