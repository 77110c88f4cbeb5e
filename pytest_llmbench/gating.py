"""The gate, for the process that the user started: refuses what cannot be compared, judges the report, ends pytest by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.errors import GraderError, UsageFault
from pytest_llmbench.keeping import suite_row
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.codec import decode
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Gate, Report, SuiteRow
from pytest_llmbench.nodeids import CheckId, read_check_id, suite_folder
from pytest_llmbench.reports.build import endpoint_row
from pytest_llmbench.reports.comparable import MAY_DIFFER, refusals, sampling_refusals
from pytest_llmbench.stats.gate import EXIT_CODES, Baseline, judge
from pytest_llmbench.stats.rulings import Bars
from pytest_llmbench.suite import load_suite

if TYPE_CHECKING:
    from pytest_llmbench.model.settings import Settings
    from pytest_llmbench.run import Run


def exit_status(gate: Gate, status: int) -> int:
    """Return how pytest ends where all that failed were checks: by the gate, unless it ends for a reason of its own."""
    ours = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    return status if gate.verdict is None or status not in ours else EXIT_CODES[gate.verdict]


class Gatekeeper:
    """Decides how a run with a bar ends; without one, nothing."""

    def __init__(self, run: Run, nodeids: Iterable[str]) -> None:
        """Begin; `nodeids` are those of all tests that will run.

        Raises:
            UsageFault: the baseline's quality cannot be compared with what would be found.
        """
        self._settings = run.settings
        self._awaited = {
            nodeid: known
            for nodeid in nodeids
            if (known := read_check_id(nodeid, run.endpoint_names, *run.roots)) is not None
        }
        self._skipped: set[str] = set()
        self.baseline = _read_baseline(run.settings)
        """The report of an earlier run; None if there is none."""
        if self._awaited:
            _refuse(self.baseline, run.settings, _suites_of(self._awaited, run.roots))

    def skip(self, nodeid: str) -> None:
        """Wait for a test no longer, as its author wants it left out."""
        self._skipped.add(nodeid)

    def judge(self, report: Report) -> Gate:
        """Give the verdict on a report that has none yet."""
        settings = self._settings
        has_bar = settings.fail_under is not None or settings.baseline or settings.baseline_endpoint
        if not has_bar or not self._awaited:
            return report.gate
        bars = Bars(
            None if settings.fail_under is None else settings.fail_under / 100,
            settings.drop / 100,
            settings.min_coverage / 100,
            settings.must_pass,
        )
        baseline = None if self.baseline is None else Baseline(self.baseline)
        if settings.baseline_endpoint is not None:
            baseline = Baseline(report, settings.baseline_endpoint)
        return judge(report, bars, baseline, list(self._lost(report)))

    def _lost(self, report: Report) -> Iterator[Check]:
        """Checks that should have run and did not: the run was ended before."""
        ran = {check.nodeid for check in report.checks} | self._skipped
        for nodeid, known in self._awaited.items():
            if nodeid not in ran:
                key = known.key
                yield Check(key.endpoint, key.suite, known.check, key.sample, Outcome.INFRA_ERROR, None, 0.0, nodeid)


def _read_baseline(settings: Settings) -> Report | None:
    return None if settings.baseline is None else decode(Path(settings.baseline).read_bytes(), Report)


def _refuse(baseline: Report | None, settings: Settings, suites: Iterator[SuiteRow | str]) -> None:
    """Refuse to compare what would differ by more than the model and its server."""
    own = {endpoint.name: endpoint_row(endpoint) for endpoint in settings.endpoints}
    found: tuple[str, ...] = ()
    if settings.baseline_endpoint is not None:
        before = own.pop(settings.baseline_endpoint)
        found = sampling_refusals([(before, row) for row in own.values()], settings.allow_different)
    elif baseline is not None:
        rows = {row.name: row for row in baseline.endpoints}
        names = {name: Baseline(baseline).counterpart(name) for name in own}
        if alone := [name for name, other in names.items() if other is None]:
            raise UsageFault(
                f"--llm-baseline={settings.baseline}: has {', '.join(rows) or 'no endpoint'}, and with which of them "
                f"{', '.join(alone)} is to be compared is not known; give it that name by --llm-endpoint=NAME=…"
            )
        pairs = [(rows[other], own[name]) for name, other in names.items() if other is not None]
        found = refusals(baseline, pairs, list(suites), settings.allow_different)
    if found:
        allow = " ".join(
            f"--llm-allow-different={name}" for name in MAY_DIFFER if any(text.endswith(f"({name})") for text in found)
        )
        raise UsageFault(
            f"--llm-baseline={settings.baseline_endpoint or settings.baseline}: cannot be compared: {'; '.join(found)}; "
            f"make it equal, or allow it: {allow}"
        )


def _suites_of(awaited: Mapping[str, CheckId], roots: Iterable[Path]) -> Iterator[SuiteRow | str]:
    """Find the suites of the tests, which in xdist's controller are known by their ids only."""
    nodeids = {known.key.suite: nodeid for nodeid, known in awaited.items()}
    for name, nodeid in sorted(nodeids.items()):
        folder = suite_folder(nodeid, roots)
        row: SuiteRow | str = name
        with suppress(GraderError, OSError):
            row = name if folder is None else suite_row(load_suite(folder))
        yield row
