"""How small a drop these answers could show, and how many samples it would take to show a smaller one.

Both are simulated from a model of the answers that is fitted to what was seen: each check has its own chance to pass, drawn
towards the mean of all where few answers tell it, and the checks of one answer are correlated (a normal copula). A drop lets
all chances fall by the same factor. The draws are the same each time, so that the figures are, too.

Imports numpy and scipy, and is itself imported by runs that compare only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from pytest_llmbench.stats.design import MAX_SAMPLES, POWER, Design, Suites
from pytest_llmbench.stats.intervals import Cluster, moderated, seen_variance
from pytest_llmbench.stats.paired import Pair
from pytest_llmbench.stats.simulation import Simulation

PRIOR_CORRELATION = 0.4
"""Of the copula, until the answers tell otherwise: what is usual rather than what is safe, as this is a plan, and no bound."""
PRIOR_ANSWERS = 10
"""So many does that assumption count."""
_PRIOR_PASSES = 2.0
"""Answers' worth of the mean that each check's own rate is averaged with."""
_STEPS = 8
_BISECTIONS = 12


def fit(pairs: Sequence[Pair], sides: Sequence[Sequence[Cluster]]) -> Design:
    """Fit the model to scored pairs, at least one, and to the answers of each side."""
    tallies: dict[str, dict[str, list[int]]] = {}
    answers: dict[str, set[int]] = {}
    for pair in pairs:
        tally = tallies.setdefault(pair.after.suite, {}).setdefault(pair.after.check, [0, 0])
        tally[0] += (pair.before.outcome == "passed") + (pair.after.outcome == "passed")
        tally[1] += 2
        answers.setdefault(pair.after.suite, set()).add(pair.place)
    passed = sum(tally[0] for checks in tallies.values() for tally in checks.values())
    mean = (passed + 1) / (2 * len(pairs) + 2)
    suites = tuple(
        (len(answers[suite]), tuple((got + _PRIOR_PASSES * mean) / (of + _PRIOR_PASSES) for got, of in checks.values()))
        for suite, checks in tallies.items()
    )
    return Design(suites, _correlation(suites, sides))


def smallest_drop(design: Design) -> float | None:
    """Return the smallest drop of the rate that is found with `POWER` at `LEVEL`; None if there is none so large."""
    simulation = Simulation(design)
    if simulation.power(design.rate) < POWER:
        return None
    low, high = 0.0, design.rate
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if simulation.power(middle) >= POWER else (middle, high)
    return high


def samples_needed(design: Design, drop: float) -> int | None:
    """Return how many answers to each suite show such a drop, or the loss of all if that is less; None if too many."""

    def shows(samples: int) -> bool:
        return Simulation(design.with_answers(samples)).power(drop) >= POWER

    low, high = 0, 1
    while not shows(high):
        low, high = high, 2 * high
        if low >= MAX_SAMPLES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if shows(middle) else (middle, high)
    return high if high <= MAX_SAMPLES else None


def _correlation(suites: Suites, sides: Sequence[Sequence[Cluster]]) -> float:
    """Return the copula's correlation that lets the answers vary as much as they do."""
    independent = sum(answers * chance * (1 - chance) for answers, chances in suites for chance in chances)
    assumed = 1 + _covariance(suites, PRIOR_CORRELATION) / independent
    seen, freedom = (sum(each) for each in zip(*map(seen_variance, sides), strict=True))
    effect = moderated(seen / (len(sides) * independent), int(freedom), assumed, PRIOR_ANSWERS)
    wanted = (effect - 1) * independent
    low, high = 0.0, 0.95
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _covariance(suites, middle) < wanted else (low, middle)
    return low


def _covariance(suites: Suites, correlation: float) -> float:
    """Return the sum of the covariances between the checks of each answer, by Gauss and Hermite's rule over what they share."""
    at, weights = np.polynomial.hermite_e.hermegauss(32)
    weights /= weights.sum()
    total = 0.0
    for answers, chances in suites:
        given = ndtr((ndtri(np.array(chances)) - math.sqrt(correlation) * at[:, None]) / math.sqrt(1 - correlation))
        spread = given - weights @ given
        total += answers * float(weights @ (spread.sum(axis=1) ** 2 - (spread**2).sum(axis=1)))
    return total
