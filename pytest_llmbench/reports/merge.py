"""Several reports as one, so that endpoints of different runs stand beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import Completion
from pytest_llmbench.model.endpoint import ServerInfo
from pytest_llmbench.model.report import (
    SCHEMA,
    CheckScore,
    CompletionRow,
    DifficultyScore,
    EndpointRow,
    Gate,
    Report,
    RunInfo,
    ScoreRow,
)
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.reports.comparable import sampling_refusals
from pytest_llmbench.reports.details import Details

JOINT = "+"
"""Between the ids of merged runs."""

_Row = TypeVar("_Row", Check, CompletionRow, SpeedRow, ScoreRow, CheckScore, DifficultyScore)
_Text = TypeVar("_Text", str, Mapping[str, str])


@dataclass(frozen=True, slots=True)
class Merged:
    """What several reports come to."""

    report: Report
    """Endpoints of one name in several runs are called `NAME@RUN`; paths begin with the id of their run."""
    details: Details
    remarks: tuple[str, ...]
    """What makes the runs less than comparable, a line for each."""


def merge(runs: Sequence[tuple[Report, Details]]) -> Merged:
    """Merge at least one report, in the order given; a single one stays as it is.

    Raises:
        UsageFault: the same run was given twice.
    """
    if len(runs) == 1:
        return Merged(*runs[0], remarks=())
    reports = [report for report, _ in runs]
    # A merged report may be merged again; its endpoints are those of the runs that it is made of.
    ids = Counter(run for report in reports for run in report.run.id.split(JOINT))
    if twice := [run for run, count in ids.items() if count > 1]:
        raise UsageFault(f"run {twice[0]} was given twice; wanted each run once")
    clashes = Counter(row.name for report in reports for row in report.endpoints)
    names = {
        (report.run.id, row.name): row.name if clashes[row.name] == 1 else f"{row.name}@{report.run.id}"
        for report in reports
        for row in report.endpoints
    }
    parts = [_renamed(report, names) for report in reports]
    merged = Report(
        schema=SCHEMA,
        run=_run_info(reports),
        endpoints=tuple(row for part in parts for row in part.endpoints),
        completions=tuple(row for part in parts for row in part.completions),
        checks=tuple(row for part in parts for row in part.checks),
        speed=tuple(row for part in parts for row in part.speed),
        scores=tuple(row for part in parts for row in part.scores),
        gate=Gate(verdict=None, reasons=()),
        suites=tuple(dict.fromkeys(row for part in parts for row in part.suites)),
        check_scores=tuple(row for part in parts for row in part.check_scores),
        difficulty_scores=tuple(row for part in parts for row in part.difficulty_scores),
    )
    whence = {name: place for place, name in names.items()}
    details = _MergedDetails({report.run.id: details for report, details in runs}, whence)
    return Merged(merged, details, tuple(_remarks(reports)))


def _renamed(report: Report, names: Mapping[tuple[str, str], str]) -> Report:
    run = report.run.id

    def own(rows: Sequence[_Row]) -> tuple[_Row, ...]:
        return tuple(replace(row, endpoint=names.get((run, row.endpoint), row.endpoint)) for row in rows)

    return replace(
        report,
        endpoints=tuple(_endpoint(row, run, names[run, row.name]) for row in report.endpoints),
        completions=tuple(replace(row, transcript=f"{run}/{row.transcript}") for row in own(report.completions)),
        checks=tuple(_check(row, run) for row in own(report.checks)),
        speed=own(report.speed),
        scores=own(report.scores),
        check_scores=own(report.check_scores),
        difficulty_scores=own(report.difficulty_scores),
    )


def _check(row: Check, run: str) -> Check:
    return replace(row, log=_below(run, row.log), earlier_logs=tuple(f"{run}/{log}" for log in row.earlier_logs))


def _endpoint(row: EndpointRow, run: str, name: str) -> EndpointRow:
    server: ServerInfo = row.server
    failure = server.failure and replace(server.failure, log=_below(run, server.failure.log))
    return replace(row, name=name, server=replace(server, log=_below(run, server.log), failure=failure))


def _below(run: str, path: str | None) -> str | None:
    return None if path is None else f"{run}/{path}"


def _run_info(reports: Sequence[Report]) -> RunInfo:
    runs = [report.run for report in reports]
    return RunInfo(
        id=JOINT.join(run.id for run in runs),
        started_at=min(run.started_at for run in runs),
        duration_s=sum(run.duration_s for run in runs),
        version=", ".join(dict.fromkeys(run.version for run in runs)),
        command=("llmbench", "report", *(run.id for run in runs)),
        seed=runs[0].seed if len({run.seed for run in runs}) == 1 else None,
        host={run.id: dict(run.host) for run in runs},
        sandbox="none" if any(run.sandbox == "none" for run in runs) else runs[0].sandbox,
    )


def _remarks(reports: Sequence[Report]) -> Iterator[str]:
    found: dict[str, dict[str, list[str]]] = {}
    for report in reports:
        for row in report.suites:
            found.setdefault(row.name, {}).setdefault(row.version, []).append(report.run.id)
    for suite, versions in found.items():
        if len(versions) > 1:
            groups = " and ".join(", ".join(runs) for runs in versions.values())
            yield f"suite {suite} is not the same in all runs: {groups} cannot be compared in it"
    asked = [row for report in reports for row in report.endpoints if row.replay is None]
    if sampling_refusals([(asked[0], row) for row in asked[1:]], ()):
        yield "not all endpoints were asked with the same sampling: temperature, token limit and the like"
    for report in reports:
        if not report.suites:
            yield f"run {report.run.id} does not say which version of the suites it was judged by"
        if report.gate.verdict is not None:
            yield f"run {report.run.id}: its own gate's verdict was {report.gate.verdict}; a merged report has none"
    if len(versions_of := dict.fromkeys(report.run.version for report in reports)) > 1:
        yield f"the runs were made by different versions of pytest-llmbench: {', '.join(versions_of)}"


def _agreed(texts: Iterable[_Text | None]) -> _Text | None:
    """Return what all say who know; an answer must not be shown as one to another run's letter, nor as changes to its program."""
    known = [text for text in texts if text is not None]
    return known[0] if known and all(text == known[0] for text in known) else None


class _MergedDetails:
    """Asks the run that an endpoint is from."""

    def __init__(self, details: Mapping[str, Details], whence: Mapping[str, tuple[str, str]]) -> None:
        """Begin; by id of the run, and endpoint -> its run and its name there."""
        self._details = details
        self._whence = whence

    def completion(self, endpoint: str, suite: str, sample: int) -> Completion | None:
        if endpoint not in self._whence:
            return None
        run, name = self._whence[endpoint]
        return self._details[run].completion(name, suite, sample)

    def prompt(self, suite: str) -> str | None:
        return _agreed(details.prompt(suite) for details in self._details.values())

    def program(self, suite: str) -> Mapping[str, str]:
        return _agreed(details.program(suite) or None for details in self._details.values()) or {}

    def candidate(self, endpoint: str, suite: str, sample: int) -> Mapping[str, str]:
        if endpoint not in self._whence:
            return {}
        run, name = self._whence[endpoint]
        return self._details[run].candidate(name, suite, sample)

    def text(self, path: str) -> str | None:
        run, _, inner = path.partition("/")
        return self._details[run].text(inner) if run in self._details else None
