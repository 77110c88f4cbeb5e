"""Sections in Markdown: what changed from one report to another besides the checks that both have a verdict on."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_llmbench.reports.changes import Changes, EndpointChanges, FigureChange
from pytest_llmbench.reports.markdown_text import code, table, word_cell

MAX_LISTED = 30


def changes_section(found: Changes) -> list[str]:
    """Return speed, what ran, and what is there on one side only; an endpoint of which nothing is to be said is left out."""
    lines = [line for one in found.endpoints for line in _endpoint(one)]
    lines += _listed("Only in the earlier run", found.gone) + _listed("Only in the later run", found.new)
    return [*lines, ""] if lines and lines[-1] else lines


def _endpoint(one: EndpointChanges) -> list[str]:
    rows = [_figure(change, "slower") for change in one.slower] + [_figure(change, "faster") for change in one.faster]
    speed = table(
        ["speed", "workload", "figure", "before", "now", "ratio"], rows, frozenset({"before", "now", "ratio"})
    )
    rest = _listed("Judged on one side only", one.unpaired)
    differs = [f"- Not as it was: {code(line)}" for line in one.differs]
    if not (speed or rest or differs):
        return []
    lines = [*speed, *rest, *differs]
    return [
        f"## What else changed: {code(one.after)} against {code(one.before)}",
        "",
        *lines,
        *([""] if lines[-1] else []),
    ]


def _figure(change: FigureChange, verdict: str) -> list[str]:
    figures = [f"{change.before:.4g}", f"{change.after:.4g}", f"{change.ratio:.3f}"]
    return [verdict, word_cell(change.workload), word_cell(change.figure), *figures]


def _listed(label: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    rest = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
    return [f"- {label}: {', '.join(map(code, names[:MAX_LISTED]))}{rest}."]
