"""The texts behind a report, read once and kept without what the page does not show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import CaseKey, Completion
from pytest_llmbench.model.report import CompletionRow, Report
from pytest_llmbench.reports.details import Details
from pytest_llmbench.reports.html.diff import diffs

SEEN = ".seen.txt"
"""In the place of `.log`: what the judge observed."""


def suites_of(report: Report) -> Sequence[str]:
    """Names of the suites: in the report's order, then those that only checks know."""
    named = (*(row.name for row in report.suites), *(check.suite for check in report.checks))
    return tuple(dict.fromkeys((*named, *(row.suite for row in report.completions))))


def checks_of(report: Report) -> Sequence[tuple[str, str]]:
    """Suite and name of each check: suites in order, checks as the report first has them."""
    places = {name: place for place, name in enumerate(suites_of(report))}
    return sorted(dict.fromkeys((check.suite, check.check) for check in report.checks), key=lambda one: places[one[0]])


def keys_of(report: Report) -> Iterable[CaseKey]:
    """Name each answer that was asked for."""
    rows: tuple[CompletionRow | Check, ...] = (*report.completions, *report.checks)
    return dict.fromkeys(CaseKey(row.endpoint, row.suite, row.sample) for row in rows)


@dataclass(frozen=True, slots=True)
class Texts:
    """All that the page may hold, read once: of completions the text alone, as their records are far larger."""

    said: Mapping[CaseKey, tuple[str | None, str | None]]
    """Answer and reasoning."""
    changes: Mapping[CaseKey, Sequence[tuple[str, str]]]
    """Path and diff."""
    prompts: Mapping[str, str | None]
    programs: Mapping[str, Mapping[str, str]]
    logs: Mapping[str, str | None]
    """By path: what programs printed and what judges observed."""


def read_texts(report: Report, details: Details) -> Texts:
    """Read all texts of a report."""
    keys, suites = keys_of(report), suites_of(report)
    paths = dict.fromkeys(path for check in report.checks if check.log for path in (check.log, seen_path(check.log)))
    programs = {suite: details.program(suite) for suite in suites}
    return Texts(
        said={key: _said(details.completion(*key)) for key in keys},
        changes=_changes(keys, programs, details),
        prompts={suite: details.prompt(suite) for suite in suites},
        programs=programs,
        logs={path: details.text(path) for path in paths},
    )


def _said(completion: Completion | None) -> tuple[str | None, str | None]:
    exchange = None if completion is None else completion.exchange
    return (None, None) if exchange is None else (exchange.content, exchange.reasoning)


def _changes(
    keys: Iterable[CaseKey], programs: Mapping[str, Mapping[str, str]], details: Details
) -> Mapping[CaseKey, Sequence[tuple[str, str]]]:
    """Diff of each answer; those of the same files once."""
    known: dict[tuple[str, tuple[tuple[str, str], ...]], Sequence[tuple[str, str]]] = {}
    found = {}
    for key in keys:
        files = details.candidate(*key)
        same = (key.suite, tuple(files.items()))
        if same not in known:
            known[same] = diffs(programs[key.suite], files)
        found[key] = known[same]
    return found


def seen_path(log: str) -> str:
    """Return where the observations lie that belong to a log."""
    return log.removesuffix(".log") + SEEN
