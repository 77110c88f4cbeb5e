"""Quantiles of Student's t distribution, from the closed forms that whole degrees of freedom have."""

from __future__ import annotations

import math
from functools import cache


@cache
def t_95(freedom: int) -> float:
    """Return the two-sided 95 % quantile for that many degrees of freedom, at least 1."""
    low, high = 1.0, 13.0  # from the normal distribution's 1.96 up to 12.71 for one degree
    while high - low > 1e-12:  # noqa: PLR2004 (far below what any figure needs)
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < 0.95 else (low, middle)  # noqa: PLR2004 (95 %)
    return high


def _within(t: float, freedom: int) -> float:
    """Return the probability that |T| <= t (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = 0.0
    for k in range(odd, freedom - 1, 2):
        total += term
        term *= cosine**2 * (k + 1) / (k + 2)
    return (angle + sine * total) * 2 / math.pi if odd else sine * total
