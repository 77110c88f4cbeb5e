"""Checks x endpoints: at a glance, who fails at what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Report
from pytest_llmbench.reports.html.answers import SYMBOLS
from pytest_llmbench.reports.html.links import check_link
from pytest_llmbench.reports.html.texts import checks_of

LEVELS = ("none", "0", "1", "2", "3", "4")
"""Classes of cells, by the share that passed: not judged, none, under a half, half and more, not quite all, all."""
MOST = 0.8
"""From this share on, a check that does not always pass is on the fourth level."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One check of one endpoint."""

    text: str
    """What to see: `✓` or `3/5`; colour says the same once more."""
    said: str
    """What to hear, in words."""
    level: str
    """One of `LEVELS`."""
    link: str
    """To the first answer that did not pass, or to the first one."""


@dataclass(frozen=True, slots=True)
class Row:
    """One check."""

    suite: str
    check: str
    must_pass: bool
    is_first: bool
    """Of its suite."""
    cells: tuple[Cell | None, ...]
    """One for each endpoint; None where it was not run."""


def heatmap(report: Report) -> Sequence[Row]:
    """Return a row for each check, suites together."""
    groups: dict[tuple[str, str, str], list[Check]] = {}
    for check in report.checks:
        groups.setdefault((check.suite, check.check, check.endpoint), []).append(check)
    rows: list[Row] = []
    for suite, name in checks_of(report):
        own = [groups.get((suite, name, endpoint.name)) for endpoint in report.endpoints]
        rows.append(
            Row(
                suite=suite,
                check=name,
                must_pass=any(check.must_pass for found in own if found for check in found),
                is_first=not rows or rows[-1].suite != suite,
                cells=tuple(_cell(found) if found else None for found in own),
            )
        )
    return rows


def _cell(checks: Sequence[Check]) -> Cell:
    passed = sum(check.outcome is Outcome.PASSED for check in checks)
    scored = sum(check.outcome.scored for check in checks)
    first = next((check for check in checks if check.outcome is not Outcome.PASSED), checks[0])
    name = f"{first.suite} {first.check}, {first.endpoint}"
    link = check_link(first.endpoint, first.suite, first.check, first.sample)
    if not scored:
        return Cell(SYMBOLS[first.outcome], f"{name}: not judged, {first.outcome}", "none", link)
    text = SYMBOLS[first.outcome] if len(checks) == 1 else f"{passed}/{scored}"
    missing = f", {len(checks) - scored} not judged" if scored < len(checks) else ""
    said = f"{name}: {first.outcome}" if len(checks) == 1 else f"{name}: {passed} of {scored} passed{missing}"
    return Cell(text, said, _level(passed, scored), link)


def _level(passed: int, scored: int) -> str:
    share = passed / scored
    return LEVELS[1 + sum((share > 0, share >= 1 / 2, share >= MOST, share == 1))]
