"""The summary at the end of a run, as lines of text."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Report, ScoreRow

MISSING = "-"
MAX_NAME = 28
_TOLD_APART = (Outcome.TRUNCATED, Outcome.EMPTY, Outcome.GRADER_ERROR)


def summary_lines(report: Report, *, run_folder: str) -> list[str]:
    """Say how each endpoint did in each suite, how fast it was, what went wrong besides, and where all of it lies."""
    lines = _table(report)
    lines += _unscored(report)
    if report.run.sandbox == "none":
        lines.append("NO SANDBOX: the models' code ran with your rights on this machine (--llm-sandbox=none)")
    lines.append(f"report: {run_folder}/report.json")
    return lines


def _table(report: Report) -> list[str]:
    suites = sorted({row.suite for row in report.scores if row.suite is not None})
    scores = {(row.endpoint, row.suite): row for row in report.scores}
    header = ["endpoint", *suites, "all", "95 % of", "coverage", "tok/s", "TTFT s", "tokens"]
    rows = [header]
    for endpoint in report.endpoints:
        total = scores.get((endpoint.name, None))
        if total is None:
            continue
        own = [row for row in report.completions if row.endpoint == endpoint.name]
        rows.append(
            [
                endpoint.name if len(endpoint.name) <= MAX_NAME else endpoint.name[: MAX_NAME - 1] + "…",
                *(_cell(scores.get((endpoint.name, suite))) for suite in suites),
                _cell(total),
                _interval(total),
                f"{total.coverage:.0%}",
                _median([row.decode_tok_s for row in own], "{:.1f}"),
                _median([row.ttft_s for row in own], "{:.3f}"),
                _sum([row.completion_tokens for row in own]),
            ]
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    return [_line(row, widths) for row in rows]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *figures = cells
    return "  ".join(
        [name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(figures, widths[1:], strict=True))]
    )


def _cell(row: ScoreRow | None) -> str:
    return MISSING if row is None else f"{row.passed}/{row.scored}"


def _interval(row: ScoreRow) -> str:
    return MISSING if row.low is None or row.high is None else f"{row.low:.0%}-{row.high:.0%}"


def _median(figures: Iterable[float | None], form: str) -> str:
    known = [figure for figure in figures if figure is not None]
    return form.format(statistics.median(known)) if known else MISSING


def _sum(figures: Sequence[int | None]) -> str:
    # A sum that leaves an unknown part out would be wrong, not merely rough.
    return MISSING if not figures or None in figures else str(sum(figure or 0 for figure in figures))


def _unscored(report: Report) -> list[str]:
    lines = []
    for endpoint in report.endpoints:
        outcomes = Counter(check.outcome for check in report.checks if check.endpoint == endpoint.name)
        told = [f"{outcomes[outcome]} {outcome}" for outcome in _TOLD_APART if outcomes[outcome]]
        if told:
            lines.append(f"{endpoint.name}: {', '.join(told)}")
        broken = [c for c in report.checks if c.endpoint == endpoint.name and c.outcome is Outcome.INFRA_ERROR]
        reasons = Counter((check.evidence or "").removeprefix("infra_error: ") for check in broken)
        lines += [f"{endpoint.name}: {count} infra_error: {reason}" for reason, count in reasons.items()]
    return lines
