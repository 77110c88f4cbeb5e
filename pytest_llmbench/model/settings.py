"""What a run was asked to do, decided once by the controller and the same in every process."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_llmbench.model.endpoint import Endpoint

SWEEP = (1, 2, 4, 8, 16, 32, 64)
"""Requests in flight at the levels of the concurrency sweep, unless the user names others."""
SPEED = "speed"
"""Folder and marker of the speed tests, which are no checks."""


@dataclass(frozen=True, slots=True)
class ReportTarget:
    """One `--llm-report=FORMAT:PATH`."""

    format: str
    path: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of a run after command line, ini file and defaults were laid over each other."""

    endpoints: tuple[Endpoint, ...]
    out: str
    """Absolute path of the run folder; it need not exist yet."""
    run_id: str
    started_at: str
    """UTC, ISO 8601."""
    seed: int
    """All that judges draw at random comes from it."""
    samples: int = 1
    """Answers asked of each endpoint for each suite."""
    concurrency: int = 8
    """Requests in flight to one endpoint at most, over all processes of the run."""
    timeout_s: float = 1800.0
    """For one whole answer."""
    sandbox: str = "bubblewrap"
    reports: tuple[ReportTarget, ...] = ()
    sweep: tuple[int, ...] = SWEEP
    """Requests in flight, level after level."""
    min_tok_s: float | None = None
    """Bar for the decode rate of a single stream; None: no bar."""
    max_ttft_s: float | None = None
    """Bar for the time to first token of a single stream."""
    goodput: str | None = None
    """Bounds for requests, as `speed.goodput.read_bounds` reads them; None: none."""
    baseline: str | None = None
    """Absolute path of the report of an earlier run."""

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint of that name."""
        return next(endpoint for endpoint in self.endpoints if endpoint.name == name)
