"""The summary at the end of a run, as lines of text."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Report, ScoreRow
from pytest_llmbench.model.serving import Failure
from pytest_llmbench.reports.differences import baseline_lines
from pytest_llmbench.reports.evidence import first_line
from pytest_llmbench.reports.gate_lines import gate_lines, repetition_lines
from pytest_llmbench.reports.server_tables import failure_lines, server_lines
from pytest_llmbench.reports.speed_tables import speed_lines
from pytest_llmbench.reports.tables import column, lay_out

MISSING = "-"
MAX_REASONS = 5
MAX_REASON = 300
_TOLD_APART = {
    Outcome.TRUNCATED: "the token limit cut the answer off, see --llm-max-tokens",
    Outcome.EMPTY: "there was no answer, or reasoning only",
}
_BROKEN = (Outcome.INFRA_ERROR, Outcome.GRADER_ERROR)


def summary_lines(
    report: Report,
    *,
    run_folder: str,
    width: int = 80,
    baseline: Report | None = None,
    baseline_folder: str | None = None,
) -> list[str]:
    """Say how each endpoint did in each suite, how fast it was, what failed, and where all of it lies.

    Args:
        report: what the run found.
        run_folder: its path, as the user shall read it.
        width: columns of the terminal; the table keeps to it, sentences do not.
        baseline: what is compared with; None if nothing is, or an endpoint of the same run.
        baseline_folder: path of the baseline's run folder, if there is one.
    """
    lines = [*_table(report, width), *failure_lines(report.endpoints, width), *server_lines(report, width)]
    for endpoint in report.endpoints:
        own = [check for check in report.checks if check.endpoint == endpoint.name]
        reasons = _reasons(own, endpoint.server.failure)
        lines += [f"{endpoint.name}: {remark}" for remark in (*_told_apart(own), *reasons)]
    lines += speed_lines(report.speed)
    lines += repetition_lines(report)
    lines += baseline_lines(report, baseline) if baseline is not None else []
    if report.run.sandbox == "none":
        lines.append("NO SANDBOX: the models' code ran with your rights on this machine (--llm-sandbox=none)")
    lines += gate_lines(report.gate, run_folder=run_folder, baseline_folder=baseline_folder)
    lines.append(f"report: {run_folder}/report.json")
    return lines


def _table(report: Report, width: int) -> list[str]:
    scores = {(row.endpoint, row.suite): row for row in report.scores}
    names = [endpoint.name for endpoint in report.endpoints if (endpoint.name, None) in scores]
    if not names:
        return []
    unscored = Counter(
        (check.endpoint, suite) for check in report.checks if not check.outcome.scored for suite in (check.suite, None)
    )
    totals = [scores[name, None] for name in names]
    completions = [[row for row in report.completions if row.endpoint == name] for name in names]

    def counts(suite: str | None) -> list[str]:
        return [_cell(scores.get((name, suite)), unscored[name, suite]) for name in names]

    suites = sorted({row.suite for row in report.scores if row.suite is not None})
    quality = [*(column(suite, counts(suite)) for suite in suites), column("all", counts(None))]
    figures = [
        column("95 % CI", [_interval(total) for total in totals]),
        column("coverage", [f"{total.coverage:.0%}" for total in totals]),
        column("tok/s", [_median((row.decode_tok_s for row in rows), "{:.1f}") for rows in completions]),
        column("TTFT s", [_median((row.ttft_s for row in rows), "{:.3f}") for rows in completions]),
        column("tokens", [_sum([row.completion_tokens for row in rows]) for rows in completions]),
    ]
    return [*lay_out(["endpoint", *names], [quality, figures], width), ""]


def _cell(row: ScoreRow | None, unscored: int) -> str:
    if row is None:
        return MISSING
    counted = f"{row.passed}/{row.scored}" if row.scored else MISSING
    return f"{counted} of {row.scored + unscored}" if unscored else counted


def _interval(row: ScoreRow) -> str:
    return MISSING if row.low is None or row.high is None else f"{row.low * 100:.0f}-{row.high * 100:.0f} %"


def _median(figures: Iterable[float | None], form: str) -> str:
    known = [figure for figure in figures if figure is not None]
    return form.format(statistics.median(known)) if known else MISSING


def _sum(figures: Sequence[int | None]) -> str:
    # A sum that leaves an unknown part out would be wrong, not merely rough.
    return MISSING if not figures or None in figures else str(sum(figure or 0 for figure in figures))


def _told_apart(checks: Sequence[Check]) -> list[str]:
    """Failures that say more of the token limit, or of the chat template, than of the model's skill."""
    outcomes = Counter(check.outcome for check in checks)
    return [f"{outcomes[outcome]} {outcome}: {why}" for outcome, why in _TOLD_APART.items() if outcomes[outcome]]


def _reasons(checks: Sequence[Check], failure: Failure | None) -> list[str]:
    """Why checks say nothing about the model: each reason once, the most frequent first."""
    broken = Counter((check.outcome, _reason(check, failure)) for check in checks if check.outcome in _BROKEN)
    lines = []
    in_order = sorted(broken.items(), key=lambda item: (_BROKEN.index(item[0][0]), -item[1]))
    for outcome, group in groupby(in_order, key=lambda item: item[0][0]):
        told = [(count, reason) for (_, reason), count in group]
        lines += [f"{count} {outcome}: {reason}" for count, reason in told[:MAX_REASONS]]
        if rest := sum(count for count, _ in told[MAX_REASONS:]):
            lines.append(f"{rest} {outcome}: for other reasons, see the report")
    return lines


def _reason(check: Check, failure: Failure | None) -> str:
    evidence = (check.evidence or "").removeprefix(f"{check.outcome}:").strip()
    if failure is not None and str(failure) in evidence:
        return "its server failed, see above"
    return first_line(evidence, MAX_REASON) or "no reason given"
