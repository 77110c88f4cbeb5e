"""The verdict on one check of one answer."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_llmbench.model.outcome import Outcome


@dataclass(frozen=True, slots=True)
class SandboxUse:
    """In what the candidate was run."""

    kind: str
    """`bubblewrap`, or `none` where the user asked for no isolation."""
    limits_in_force: tuple[str, ...]
    """Which limits could be put in force on this host, such as `rlimits`, `seccomp`, `pss-watchdog`, `cgroup-memory`."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one answer, as it ended."""

    endpoint: str
    """Name of the endpoint."""
    suite: str
    """Name of the suite."""
    check: str
    """Name of the test function without `test_`."""
    sample: int
    """Counts from 1."""
    outcome: Outcome
    """How it ended, in one of six ways."""
    evidence: str | None
    """What the assertion, or the error, said; None if passed."""
    duration_s: float
    """Seconds in the test function, or in what failed before it; the wait for an answer is no part of the former."""
    nodeid: str
    """What pytest calls the test."""
    sandbox: SandboxUse | None = None
    """None if nothing was run."""
    log: str | None = None
    """Path of the candidate's output, relative to the run folder; of several, the last one."""
    must_pass: bool = False
    """Whether the gate lets it fail not even once: by its marker, or by `--llm-must-pass`."""
    earlier_logs: tuple[str, ...] = ()
    """Where the check had several scenarios run: the outputs before `log`, in their order."""
