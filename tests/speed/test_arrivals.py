from __future__ import annotations

import statistics
from itertools import pairwise

import pytest

from pytest_llmbench.speed.arrivals import poisson_s


def test_arrivals_come_in_order_at_the_rate_and_without_memory() -> None:
    times_s = poisson_s(5.0, 4000, seed=1)
    gaps_s = [later - earlier for earlier, later in pairwise((0.0, *times_s))]
    assert min(gaps_s) > 0
    assert len(times_s) == 4000
    assert statistics.fmean(gaps_s) == pytest.approx(0.2, rel=0.05)
    # In an exponential distribution the deviation is the mean, and 1/e of all gaps exceed it.
    assert statistics.stdev(gaps_s) == pytest.approx(0.2, rel=0.1)
    assert sum(gap > 0.2 for gap in gaps_s) / 4000 == pytest.approx(0.368, abs=0.03)


def test_the_seed_decides() -> None:
    assert poisson_s(5.0, 9, seed=1) == poisson_s(5.0, 9, seed=1)
    assert poisson_s(5.0, 9, seed=1) != poisson_s(5.0, 9, seed=2)
    assert poisson_s(5.0, 0, seed=1) == ()
