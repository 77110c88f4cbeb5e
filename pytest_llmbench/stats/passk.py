"""pass@k and pass^k: what several tries, or several days, make of a rate."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from statistics import mean

Tallies = Sequence[tuple[int, int]]
"""Of each check: answers that passed it, and answers of which it was scored."""


def pass_at_k(tallies: Tallies) -> tuple[float, ...]:
    """Return for k = 1, 2, … how likely at least one of k answers passes a check, as mean over the checks.

    Unbiased (Chen et al. 2021): the share of all choices of k out of n answers that hold one that passed. Goes as far as
    the check with the fewest answers.
    """
    return tuple(mean(1 - comb(n - passed, k) / comb(n, k) for passed, n in _scored(tallies)) for k in _range(tallies))


def pass_hat_k(tallies: Tallies) -> tuple[float, ...]:
    """Return for k = 1, 2, … how likely all of k answers pass a check, as mean over the checks; unbiased likewise."""
    return tuple(mean(comb(passed, k) / comb(n, k) for passed, n in _scored(tallies)) for k in _range(tallies))


def _scored(tallies: Tallies) -> list[tuple[int, int]]:
    return [(passed, n) for passed, n in tallies if n]


def _range(tallies: Tallies) -> range:
    return range(1, 1 + min((n for _, n in _scored(tallies)), default=0))
