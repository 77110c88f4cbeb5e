"""The verdict of the gate on a terminal: what it is, why, and which checks got worse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_llmbench.model.report import CheckChange, Comparison, Gate, Regression, Report, Tally
from pytest_llmbench.reports.evidence import first_line
from pytest_llmbench.stats.answers import repetitions

VERDICTS = {"met": "MET", "not_met": "NOT MET", "inconclusive": "INCONCLUSIVE"}
MAX_EVIDENCE = 200


def gate_lines(gate: Gate, *, run_folder: str, baseline_folder: str | None) -> list[str]:
    """Return the verdict and what it rests on; nothing where no bar was set.

    Args:
        gate: the verdict.
        run_folder: path that the endpoint's transcripts are relative to.
        baseline_folder: path that the baseline's are relative to; None: the run's own.
    """
    if gate.verdict is None:
        return []
    lines = [f"gate: {VERDICTS[gate.verdict]}", *(f"  {reason}" for reason in gate.reasons)]
    folders = (baseline_folder or run_folder, run_folder)
    return [*lines, *(f"  {line}" for one in gate.comparisons for line in _changes(one, folders))]


def repetition_lines(report: Report) -> list[str]:
    """Say where more answers were asked for, and the same one came again."""
    again = repetitions(report)
    lines = []
    for endpoint in report.endpoints:
        suites = {suite: number for (name, suite), number in again.items() if name == endpoint.name}
        if suites:
            greedy = (
                ", as temperature 0 makes it" if endpoint.replay is None and endpoint.sampling.temperature == 0 else ""
            )
            told = ", ".join(f"{suite} {number}" for suite, number in sorted(suites.items()))
            lines.append(f"{endpoint.name}: answers that came before, word for word{greedy}, count once: {told}")
    return lines


def _changes(one: Comparison, folders: tuple[str, str]) -> Iterator[str]:
    for regression in one.regressions:
        yield from _regression(one, regression, folders)
    for told, checks in (("fixed", one.fixed), ("failed before, fail still", one.still_failing)):
        if checks:
            yield f"{one.endpoint}: {told}: {_named(checks)}"


def _regression(one: Comparison, found: Regression, folders: tuple[str, str]) -> Iterator[str]:
    evidence = _shown(found.evidence)
    counts = f"{_tally(found.before)} in {one.baseline}, {_tally(found.after)} now"
    yield f"{one.endpoint}: worse: {found.suite}/{found.check}: {counts}" + (f": {evidence}" if evidence else "")
    pair = next(pair for pair in found.samples if pair.before_passed and not pair.after_passed)
    for when, folder, path in zip(("before", "now"), folders, (pair.before, pair.after), strict=True):
        yield f"  {when}: {folder}/{path}"


def _shown(evidence: str | None) -> str:
    """Return the first line of what an answer may have had its hand in; no character of it moves a terminal's cursor."""
    line = first_line(evidence, MAX_EVIDENCE)
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)


def _named(checks: Sequence[CheckChange]) -> str:
    return ", ".join(f"{one.suite}/{one.check} ({_tally(one.before)}, now {_tally(one.after)})" for one in checks)


def _tally(tally: Tally) -> str:
    return f"{tally.passed}/{tally.scored}"
