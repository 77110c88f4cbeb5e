"""The gate: whether an endpoint meets the bars that were set, does not, or too little was judged to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.report import Comparison, Gate, Report
from pytest_llmbench.stats import rulings
from pytest_llmbench.stats.answers import distinct, origins
from pytest_llmbench.stats.comparing import Compared, compare
from pytest_llmbench.stats.rulings import Bars, Ruling, Verdict

__all__ = ["Bars", "Baseline", "judge"]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is compared with: endpoints of another run, or one of the same."""

    report: Report
    endpoint: str | None = None
    """The one that all others are compared with; None: each with the one of its own name, or with the only one."""

    def counterpart(self, endpoint: str) -> str | None:
        """Return with whom an endpoint is compared; None: there is nobody."""
        names = [row.name for row in self.report.endpoints]
        if self.endpoint is not None:
            return self.endpoint
        return endpoint if endpoint in names else names[0] if len(names) == 1 else None


def judge(report: Report, bars: Bars, baseline: Baseline | None, lost: Sequence[Check] = ()) -> Gate:
    """Judge every endpoint of a report but the one that is the others' baseline.

    Args:
        report: what the run found.
        bars: what is asked.
        baseline: what to compare with; None: nothing.
        lost: checks that were asked for and are not in the report; their outcome is none that is scored.
    """
    judged = [
        row.name
        for row in report.endpoints
        if baseline is None or baseline.report is not report or row.name != baseline.endpoint
    ]
    ruled: list[Ruling] = []
    comparisons: list[Comparison] = []
    for name in judged:
        checks = (
            *(check for check in report.checks if check.endpoint == name),
            *(one for one in lost if one.endpoint == name),
        )
        if not checks:
            continue
        own = distinct(checks, origins(report.completions))
        compared = _compare(name, own, bars, baseline)
        comparisons += [] if compared is None else [compared.result]
        found = [
            *rulings.must_pass(own, bars, _counterparts(baseline, name)),
            *rulings.coverage(checks, bars),
            *(rulings.rate(checks, own, bars) if bars.fail_under is not None else ()),
            *(rulings.compared(compared, bars) if compared is not None else ()),
        ]
        if baseline is not None and compared is None:
            found.append((Verdict.INCONCLUSIVE, "the baseline has no endpoint of this name, and more than one"))
        ruled += [(verdict, f"{name}: {reason}") for verdict, reason in found]
    if not ruled:
        return Gate(verdict=None, reasons=())
    verdict = max(verdict for verdict, _ in ruled)
    # What is good does not explain a verdict that is not.
    told = [(one, reason) for one, reason in ruled if verdict is Verdict.MET or one is not Verdict.MET]
    reasons = tuple(reason for _, reason in sorted(told, key=lambda ruling: -ruling[0]))
    return Gate(_NAMES[verdict], reasons, tuple(comparisons))


_NAMES: Mapping[Verdict, Literal["met", "not_met", "inconclusive"]] = {
    Verdict.MET: "met",
    Verdict.INCONCLUSIVE: "inconclusive",
    Verdict.NOT_MET: "not_met",
}


def _counterparts(baseline: Baseline | None, name: str) -> tuple[Check, ...]:
    other = baseline.counterpart(name) if baseline is not None else None
    if baseline is None or other is None:
        return ()
    checks = (check for check in baseline.report.checks if check.endpoint == other)
    return distinct(checks, origins(baseline.report.completions))


def _compare(name: str, own: Sequence[Check], bars: Bars, baseline: Baseline | None) -> Compared | None:
    other = baseline.counterpart(name) if baseline is not None else None
    return None if other is None else compare(name, other, _counterparts(baseline, name), own, drop=bars.drop)
