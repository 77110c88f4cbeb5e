"""Checks counted, with the interval that so few of them allow."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import ScoreRow

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


def score(endpoint: str, suite: str | None, checks: Sequence[Check]) -> ScoreRow:
    """Count the checks of an endpoint; at least one."""
    scored = sum(check.outcome.scored for check in checks)
    passed = sum(check.outcome is Outcome.PASSED for check in checks)
    low, high = wilson(passed, scored) if scored else (None, None)
    rate = passed / scored if scored else None
    return ScoreRow(endpoint, suite, passed, scored, scored / len(checks), rate, low, high)


def wilson(passed: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a rate; `total` is at least 1."""
    rate = passed / total
    centre = rate + Z_95**2 / (2 * total)
    spread = Z_95 * math.sqrt(rate * (1 - rate) / total + Z_95**2 / (4 * total**2))
    scale = 1 + Z_95**2 / total
    low, high = (centre - spread) / scale, (centre + spread) / scale
    # At the ends the formula is exact, rounding is not.
    return (0.0 if passed == 0 else low), (1.0 if passed == total else high)
