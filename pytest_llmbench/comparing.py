"""Two runs that are over, one against the other: the gate's verdict, and what else is not as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Report
from pytest_llmbench.pastruns import PastRun
from pytest_llmbench.reports.changes import changes
from pytest_llmbench.reports.comparable import MAY_DIFFER, refusals
from pytest_llmbench.reports.markdown_changes import changes_section
from pytest_llmbench.reports.markdown_gate import comparisons_section, verdict_section
from pytest_llmbench.stats.gate import EXIT_CODES, Bars, Baseline, judge


@dataclass(frozen=True, slots=True)
class Found:
    """What a comparison came to."""

    text: str
    """Markdown that can be read as it is."""
    exit_code: int


def compare(before: PastRun, after: PastRun, bars: Bars, allowed: Sequence[str] = ()) -> Found:
    """Compare two runs: endpoints of one name, and those without a namesake with the only one of the earlier report.

    Args:
        before: how it was.
        after: how it is.
        bars: what the gate asks.
        allowed: names of `MAY_DIFFER` that need not be equal.

    Raises:
        UsageFault: one of them was cut off, or they differ in more than the model and its server.
    """
    for run in (before, after):
        if not run.is_whole:
            raise UsageFault(
                f"{run.folder}: was cut off, or is not over yet; go on with it by --llm-resume={run.folder}"
            )
    _refuse(before.report, after.report, allowed)
    baseline, report = Baseline(before.report), _marked(after.report, bars)
    gate = judge(report, bars, baseline, tuple(_lost(baseline, report)))
    lines = [
        *verdict_section(gate),
        *comparisons_section(gate, before.folder, after.folder),
        *changes_section(changes(before.report, report)),
    ]
    return Found("\n".join(lines).rstrip("\n") + "\n", EXIT_CODES[gate.verdict])


def _refuse(before: Report, after: Report, allowed: Sequence[str]) -> None:
    rows = {row.name: row for row in before.endpoints}
    pairs = [(rows[old], row) for row in after.endpoints if (old := Baseline(before).counterpart(row.name)) is not None]
    known = {row.name: row for row in after.suites}
    judged = sorted({check.suite for check in after.checks})
    found = refusals(before, pairs, [known.get(suite, suite) for suite in judged], allowed)
    if found:
        names = [name for name in MAY_DIFFER if any(text.endswith(f"({name})") for text in found)]
        allow = " ".join(f"--allow-different={name}" for name in names)
        raise UsageFault(f"cannot be compared: {'; '.join(found)}; make one of the runs again, or allow it: {allow}")


def _marked(report: Report, bars: Bars) -> Report:
    """Return a report in which the checks that are named must pass, as if the run had been told so."""
    checks = (
        replace(check, must_pass=True) if f"{check.suite}/{check.check}" in bars.must_pass else check
        for check in report.checks
    )
    return replace(report, checks=tuple(checks))


def _lost(baseline: Baseline, after: Report) -> Iterator[Check]:
    """Checks of answers that the later run has asked for and never judged by them, though the baseline's were.

    A run that was ended early is not taken for one that was asked less; a suite that was left out as a whole is.
    """
    for endpoint in after.endpoints:
        old = baseline.counterpart(endpoint.name)
        own = [check for check in after.checks if check.endpoint == endpoint.name]
        answers = {(check.suite, check.sample) for check in own}
        answers |= {(row.suite, row.sample) for row in after.completions if row.endpoint == endpoint.name}
        judged = {(check.suite, check.check) for check in own}
        before = {(one.suite, one.check): one for one in baseline.report.checks if one.endpoint == old}
        for suite, sample in sorted(answers):
            for place, check in before.items():
                if place not in judged and place[0] == suite:
                    outcome = Outcome.INFRA_ERROR
                    yield replace(check, endpoint=endpoint.name, sample=sample, outcome=outcome, evidence=None)
