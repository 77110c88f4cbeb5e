"""What a run was asked to do, decided once by the controller and the same in every process."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_llmbench.model.endpoint import Endpoint, Sampling

SWEEP = (1, 2, 4, 8, 16, 32, 64)
"""Requests in flight at the levels of the concurrency sweep, unless the user names others."""
SPEED = "speed"
"""Folder and marker of the speed tests, which are no checks."""

DROP_PERCENT = 20.0
"""Points; between 5 and 10 different answers to each suite show so much."""
MIN_COVERAGE_PERCENT = 95.0


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
    baseline_endpoint: str | None = None
    """The endpoint of this run that the others are compared with; at most one of the two is set."""
    fail_under: float | None = None
    """Lowest pass rate that is good enough, in per cent; None: no such bar."""
    drop: float = DROP_PERCENT
    """Points by which the pass rate may not fall below the baseline's without being noticed."""
    min_coverage: float = MIN_COVERAGE_PERCENT
    """Per cent of the checks asked for that must have been judged."""
    must_pass: tuple[str, ...] = ()
    """Checks as SUITE/CHECK that may fail not even once."""
    allow_different: tuple[str, ...] = ()
    """What of the baseline need not be equal; see `reports.comparable`."""
    sampling: Sampling = Sampling()  # noqa: RUF009 - frozen
    """Of endpoints that say nothing else."""
    session: int = 1
    """Counts the sessions of pytest that write to this run; more than 1 if it was cut off and is gone on with."""

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint of that name."""
        return next(endpoint for endpoint in self.endpoints if endpoint.name == name)
