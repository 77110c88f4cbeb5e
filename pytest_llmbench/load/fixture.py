"""What the fixture `measure` gives to a speed test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pytest_llmbench import client
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.load.measure import Measurer
from pytest_llmbench.model.codec import decode
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import Report
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.speed.bars import Bars
from pytest_llmbench.speed.workloads import Workload

_MEASURERS: dict[tuple[str, str], Measurer] = {}
"""By run and endpoint: what was learned of an endpoint serves the next test."""


class Measure:
    """Measures one endpoint for one test."""

    def __init__(self, settings: Settings, endpoint: Endpoint) -> None:
        self.rows: tuple[SpeedRow, ...] = ()
        """All that was measured so far."""
        self._settings = settings
        self._endpoint = endpoint

    def __call__(self, workload: Workload) -> SpeedRow:
        """Measure a workload.

        Raises:
            EndpointError: no answer came at all.
        """
        with self._alone() as measurer:
            row = measurer.measure(workload)
        self.rows += (row,)
        return row

    def sweep(self, workload: Workload) -> tuple[SpeedRow, ...]:
        """Measure a workload at the levels of `--llm-sweep`.

        Raises:
            EndpointError: no answer came at all.
        """
        with self._alone() as measurer:
            rows = measurer.sweep(workload, self._settings.sweep)
        self.rows += rows
        return rows

    def shortfalls(self, *rows: SpeedRow) -> tuple[str, ...]:
        """Return what rows fall short of, in words; empty if they meet every bar."""
        settings = self._settings
        before = decode(Path(settings.baseline).read_bytes(), Report).speed if settings.baseline else ()
        bars = Bars(settings.min_tok_s, settings.max_ttft_s, before)
        return tuple(text for row in rows for text in bars.shortfalls(row))

    @contextmanager
    def _alone(self) -> Iterator[Measurer]:
        """Hold every place of the endpoint, so that nothing else is asked of it by any process of the run."""
        if self._endpoint.problem is not None:
            raise EndpointError(self._endpoint.problem)
        folder = RunFolder(Path(self._settings.out))
        with ExitStack() as held:
            places = folder.slots(self._endpoint.name, self._settings.concurrency)
            for claim in folder.claim_all([f"speed-{self._endpoint.name}", *places]):
                held.enter_context(claim)
            yield self._measurer()

    def _measurer(self) -> Measurer:
        known = (self._settings.run_id, self._endpoint.name)
        if known not in _MEASURERS:
            variable = self._endpoint.api_key_env
            _MEASURERS[known] = Measurer(
                self._endpoint,
                f"{self._settings.run_id}/{self._settings.seed}",
                os.environ.get(variable) if variable else None,
                client.Timeouts(total_s=self._settings.timeout_s),
            )
        return _MEASURERS[known]
