"""Rounds of one figure: how far they spread, how two sets compare, and when to stop taking more."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_llmbench.model.speed import Spread
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.student import t_95

AGREEMENT = 0.05
FEWEST = 2
"""Rounds below which nothing is known of how they spread."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times the figures of one set are those of another one."""

    ratio: float
    """Geometric mean of the one over that of the other."""
    low: float | None
    """Lower end of its 95 % interval (Welch's t on logarithms); None if one of the sets is a single round."""
    high: float | None
    """Upper end."""


def spread(rounds: Sequence[float]) -> Spread:
    """Sum rounds up; at least one."""
    mean, stdev, half = statistics.fmean(rounds), None, None
    if len(rounds) >= FEWEST:
        stdev = statistics.stdev(rounds)
        half = t_95(len(rounds) - 1) * stdev / math.sqrt(len(rounds))
    return Spread(
        rounds=len(rounds),
        mean=mean,
        median=statistics.median(rounds),
        min=min(rounds),
        max=max(rounds),
        stdev=stdev,
        low=None if half is None else mean - half,
        high=None if half is None else mean + half,
    )


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio | Unknown:
    """Compare two sets of rounds by the ratio of their geometric means.

    On logarithms, because figures of speed differ by factors: a ratio and its inverse then tell the same.
    """
    if not ours or not theirs:
        return Unknown("one of the two sets has no rounds")
    if min(*ours, *theirs) <= 0:
        return Unknown("a ratio needs figures above 0")
    logs = [[math.log(figure) for figure in rounds] for rounds in (ours, theirs)]
    distance = statistics.fmean(logs[0]) - statistics.fmean(logs[1])
    if min(map(len, logs)) < FEWEST:
        return Ratio(math.exp(distance), None, None)
    parts = [statistics.variance(each) / len(each) for each in logs]
    half = t_95(_freedom(parts, [len(each) - 1 for each in logs])) * math.sqrt(sum(parts))
    return Ratio(*(math.exp(distance + step) for step in (0.0, -half, half)))


def ratio_of(ours: Spread, theirs: Spread) -> Ratio | Unknown:
    """Compare two sets of rounds of which only the spread is left, as `ratio` does, to first order in it."""
    if ours.mean <= 0 or theirs.mean <= 0:
        return Unknown("a ratio needs figures above 0")
    found = ours.mean / theirs.mean
    if ours.stdev is None or theirs.stdev is None:
        return Ratio(found, None, None)
    parts = [(each.stdev / each.mean) ** 2 / each.rounds for each in (ours, theirs) if each.stdev is not None]
    half = t_95(_freedom(parts, [ours.rounds - 1, theirs.rounds - 1])) * math.sqrt(sum(parts))
    return Ratio(*(found * math.exp(step) for step in (0.0, -half, half)))


def agree(earlier: float, later: float, within: float = AGREEMENT) -> bool:
    """Whether two figures differ by at most that share of the larger one."""
    return abs(later - earlier) <= within * max(abs(earlier), abs(later))


def settled(figures: Sequence[float], within: float = AGREEMENT) -> bool:
    """Whether warm-up has done its work: the last two figures agree."""
    return len(figures) >= FEWEST and agree(figures[-2], figures[-1], within)


def fell_twice(figures: Sequence[float | None]) -> bool:
    """Whether the last figure is below the one before, and that one below its own: a sweep is over the hill.

    A figure that is not known is no fall.
    """
    match figures[-3:]:
        case [float() | int() as first, float() | int() as second, float() | int() as third]:
            return first > second > third
        case _:
            return False


def _freedom(parts: Sequence[float], freedoms: Sequence[int]) -> int:
    """Return Welch and Satterthwaite's degrees of freedom, rounded down, so that the interval is rather too wide."""
    below = sum(part**2 / freedom for part, freedom in zip(parts, freedoms, strict=True))
    if below == 0:
        return min(freedoms)  # rounds all alike: there is no width to get wrong
    return max(min(freedoms), math.floor(sum(parts) ** 2 / below))
