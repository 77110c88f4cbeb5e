"""The gate: whether an endpoint meets the bars that were set, does not, or too little was judged to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.report import Comparison, Gate, Report
from pytest_llmbench.stats import rulings
from pytest_llmbench.stats.answers import distinct, origins
from pytest_llmbench.stats.comparing import compare
from pytest_llmbench.stats.rulings import Bars, Ruling, Verdict

__all__ = ["EXIT_CODES", "Bars", "Baseline", "judge"]

EXIT_CODES: Mapping[str | None, int] = {"met": 0, "not_met": 1, "inconclusive": 8}
"""By verdict, of pytest and of the command; 8 lies beside pytest's own (0 to 5)."""


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
        own = distinct(checks, origins(report))
        other, before = _counterpart(baseline, name)
        compared = None if other is None else compare(name, other, before, own, drop=bars.drop)
        comparisons += [] if compared is None else [compared.result]
        found = [
            *rulings.must_pass(own, bars, before),
            *rulings.coverage(checks, bars),
            *(rulings.rate(checks, own, bars) if bars.fail_under is not None else ()),
            *(rulings.compared(compared, bars) if compared is not None else ()),
        ]
        if baseline is not None and compared is None:
            found.append((Verdict.INCONCLUSIVE, "the baseline has no endpoint of this name, and more than one"))
        ruled += [(verdict, f"{name}: {reason}") for verdict, reason in found]
    if not ruled:
        return Gate("inconclusive", ("nothing was judged: no check was run that the bars are for",))
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


def _counterpart(baseline: Baseline | None, name: str) -> tuple[str | None, tuple[Check, ...]]:
    """Return with whom an endpoint is compared, if with anybody, and what of its checks counts."""
    if baseline is None or (other := baseline.counterpart(name)) is None:
        return None, ()
    checks = (check for check in baseline.report.checks if check.endpoint == other)
    return other, distinct(checks, origins(baseline.report))
