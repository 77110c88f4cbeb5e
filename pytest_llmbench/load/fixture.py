"""What the fixture `measure` gives to a speed test."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pytest_llmbench import client
from pytest_llmbench.endpoints.keys import read_key
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.load.measure import Measurer
from pytest_llmbench.model.codec import decode
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import Report
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.provision.lease import leased
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.speed.bars import Bars
from pytest_llmbench.speed.goodput import read_bounds
from pytest_llmbench.speed.workloads import Workload

Measurers = MutableMapping[tuple[str, str | None], Measurer]
"""By name and URL of the endpoint: a server that was started anew is another one."""


def _open_measurer(settings: Settings, endpoint: Endpoint) -> Measurer:
    return Measurer(
        endpoint,
        f"{settings.run_id}/{settings.seed}",
        read_key(endpoint.api_key_env),
        client.Timeouts(total_s=settings.timeout_s),
        None if settings.goodput is None else read_bounds(settings.goodput),
    )


class Measure:
    """Measures one endpoint for one test."""

    def __init__(self, settings: Settings, endpoint: Endpoint, measurers: Measurers) -> None:
        """Measure `endpoint`; what was learned of it before is in `measurers`, and what is learned now goes there."""
        self.rows: tuple[SpeedRow, ...] = ()
        """All that was measured so far."""
        self._settings = settings
        self._endpoint = endpoint
        self._measurers = measurers

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
        endpoint = self._endpoint
        if endpoint.problem is not None:
            raise EndpointError(endpoint.problem)
        folder = RunFolder(Path(self._settings.out))
        with ExitStack() as held:
            places = folder.slots(endpoint.name, self._settings.concurrency)
            for claim in folder.claim_all([f"speed-{endpoint.name}", *places]):
                held.enter_context(claim)
            up = held.enter_context(leased(folder, endpoint))
            if (up.name, up.url) not in self._measurers:
                self._measurers[up.name, up.url] = _open_measurer(self._settings, up)
            yield self._measurers[up.name, up.url]
