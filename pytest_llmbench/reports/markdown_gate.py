"""Sections of the Markdown report: the verdict, and what changed against the baseline."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_llmbench.model.report import CheckChange, Comparison, Gate, Regression, Tally
from pytest_llmbench.reports.evidence import first_line
from pytest_llmbench.reports.markdown_text import code

VERDICTS = {
    "met": "✅ The bar is met",
    "not_met": "❌ The bar is not met",
    "inconclusive": "❔ Inconclusive: these answers cannot tell",
}
MAX_LISTED = 30
"""Checks that are named in one line."""


def verdict_section(gate: Gate) -> list[str]:
    """Return the verdict and its reasons; nothing where no bar was set."""
    if gate.verdict is None:
        return []
    reasons = [f"- {code(reason, limit=1000)}" for reason in gate.reasons]
    return [f"**{VERDICTS[gate.verdict]}**", "", *reasons, *([""] if reasons else [])]


def comparisons_section(gate: Gate, before: str | None = None, after: str | None = None) -> list[str]:
    """Return what changed against the baseline, for each endpoint that has one.

    Args:
        gate: of a report.
        before: the baseline's run folder; None: transcripts are told relative to it.
        after: the run folder; None: likewise.
    """
    # Where nothing was judged on both sides, the verdict has said so.
    compared = [comparison for comparison in gate.comparisons if comparison.pairs]
    return [line for comparison in compared for line in _comparison(comparison, before, after)]


def _comparison(one: Comparison, before: str | None, after: str | None) -> list[str]:
    title = f"## What changed: {code(one.endpoint)} against {code(one.baseline)}"
    compared = f"{_counted(one.pairs, 'check')} compared, of {_counted(one.answers, 'pair')} of answers"
    lines = [title, "", f"- {compared}: {one.worse} worse, {one.better} better."]
    if one.difference is not None:
        lines.append(f"- Pass rate: {_points(one.difference)} points{_interval(one)}{_chance(one)}.")
    if one.smallest_drop is not None:
        lines.append(f"- So many answers show a drop of {one.smallest_drop * 100:.0f} points or more, 4 times in 5.")
    if one.samples_needed is not None:
        lines.append(f"- `--llm-samples={one.samples_needed}` would show the drop that was asked for.")
    # No table: with the evidence and both paths beside each other, no line of it would fit on a screen.
    lines += [line for each in one.regressions for line in _regression(each, before, after)]
    lines += _named("Fixed", one.fixed) + _named("Failed before, fail still", one.still_failing)
    return [*lines, ""]


def _regression(one: Regression, before: str | None, after: str | None) -> list[str]:
    # The pair that tells most is one that passed before and fails now.
    pair = next((each for each in one.samples if each.before_passed and not each.after_passed), None)
    must_pass = " (must pass)" if one.must_pass else ""
    said = first_line(one.evidence)
    lines = [f"- **Broken**: {_change(one)}{must_pass}" + (f": {code(said)}" if said else "")]
    if pair is not None:
        lines += [f"  - before: {code(_path(before, pair.before))}", f"  - now: {code(_path(after, pair.after))}"]
    return lines


def _path(folder: str | None, transcript: str) -> str:
    return transcript if folder is None else f"{folder}/{transcript}"


def _change(one: CheckChange) -> str:
    return f"{code(f'{one.suite}/{one.check}')} {_share(one.before)} → {_share(one.after)}"


def _named(label: str, checks: Sequence[CheckChange]) -> list[str]:
    if not checks:
        return []
    names = ", ".join(map(_change, checks[:MAX_LISTED]))
    rest = f" and {len(checks) - MAX_LISTED} more" if len(checks) > MAX_LISTED else ""
    return [f"- {label}: {names}{rest}."]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _share(tally: Tally) -> str:
    return f"{tally.passed}/{tally.scored}"


def _points(difference: float) -> str:
    return f"{difference * 100:+.1f}"


def _interval(one: Comparison) -> str:
    if one.low is None or one.high is None:
        return ""
    return f" (95 % interval {_points(one.low)} to {_points(one.high)})"


def _chance(one: Comparison) -> str:
    return "" if one.p_value is None else f"; chance alone would make it as much worse in {one.p_value:.1%} of runs"
