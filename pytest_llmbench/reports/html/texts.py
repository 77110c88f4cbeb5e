"""The texts behind a report, read once and kept without what the page does not show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import CaseKey, Completion
from pytest_llmbench.model.report import CompletionRow, Report
from pytest_llmbench.reports.details import Details
from pytest_llmbench.reports.html.diff import diffs
from pytest_llmbench.reports.html.packing import LIMITS, Shown, cut

SEEN = ".seen.txt"
"""In the place of `.log`: what the judge observed."""


def endpoints_of(report: Report) -> Sequence[str]:
    """Names of the endpoints: in the report's order, then those that only answers or checks know."""
    named = (*(row.name for row in report.endpoints), *(key.endpoint for key in keys_of(report)))
    return tuple(dict.fromkeys(named))


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
    """All that the page may hold, read once and no more than it: thousands of logs may be a megabyte each."""

    said: Mapping[CaseKey, tuple[Shown | None, Shown | None]]
    """Answer and reasoning."""
    changes: Mapping[CaseKey, Sequence[tuple[str, Shown]]]
    """Path and diff."""
    prompts: Mapping[str, str | None]
    programs: Mapping[str, Mapping[str, str]]
    logs: Mapping[str, Shown | None]
    """By path: what programs printed and what judges observed."""


def read_texts(report: Report, details: Details) -> Texts:
    """Read all texts of a report."""
    keys, suites = keys_of(report), suites_of(report)
    paths = dict.fromkeys(path for check in report.checks for pair in logs_of(check) for path in pair)
    programs = {suite: details.program(suite) for suite in suites}
    return Texts(
        said={key: _said(details.completion(*key)) for key in keys},
        changes=_changes(keys, programs, details),
        prompts={suite: details.prompt(suite) for suite in suites},
        programs=programs,
        logs={path: _kept(details.text(path)) for path in paths},
    )


def _kept(text: str | None) -> Shown | None:
    # Where the whole is, the page's layout knows.
    return None if text is None else cut(text, LIMITS[0], "")


def _said(completion: Completion | None) -> tuple[Shown | None, Shown | None]:
    exchange = None if completion is None else completion.exchange
    return (None, None) if exchange is None else (_kept(exchange.content), _kept(exchange.reasoning))


def _changes(
    keys: Iterable[CaseKey], programs: Mapping[str, Mapping[str, str]], details: Details
) -> Mapping[CaseKey, Sequence[tuple[str, Shown]]]:
    """Diff of each answer; those of the same files once."""
    known: dict[tuple[str, tuple[tuple[str, str], ...]], Sequence[tuple[str, Shown]]] = {}
    found = {}
    for key in keys:
        files = details.candidate(*key)
        same = (key.suite, tuple(files.items()))
        if same not in known:
            known[same] = [(path, cut(text, LIMITS[0], "")) for path, text in diffs(programs[key.suite], files)]
        found[key] = known[same]
    return found


def logs_of(check: Check) -> Sequence[tuple[str, str]]:
    """Return, for each scenario that a check looked at, where the candidate's output lies and what the judge observed."""
    logs = () if check.log is None else (*check.earlier_logs, check.log)
    return [(log, log.removesuffix(".log") + SEEN) for log in logs]
