from __future__ import annotations

import random
from itertools import combinations
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.stats.passk import pass_at_k, pass_hat_k

TALLIES = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.integers(0, n).map(lambda passed: (passed, n)), min_size=1, max_size=4)
)


@given(TALLIES)
def test_both_are_means_over_all_choices(tallies: list[tuple[int, int]]) -> None:
    answers = [[True] * passed + [False] * (n - passed) for passed, n in tallies]
    for k in range(1, tallies[0][1] + 1):
        chosen = [[any(some) for some in combinations(own, k)] for own in answers]
        every = [[all(some) for some in combinations(own, k)] for own in answers]
        assert pass_at_k(tallies)[k - 1] == pytest.approx(mean(map(mean, chosen)))
        assert pass_hat_k(tallies)[k - 1] == pytest.approx(mean(map(mean, every)))


def test_they_are_unbiased() -> None:
    draws = random.Random(4)  # noqa: S311 - repeatable
    tallies = [(sum(draws.random() < 0.3 for _ in range(5)), 5) for _ in range(20_000)]
    assert pass_at_k(tallies)[2] == pytest.approx(1 - 0.7**3, abs=0.01)
    assert pass_hat_k(tallies)[2] == pytest.approx(0.3**3, abs=0.005)


def test_they_go_as_far_as_the_check_with_the_fewest_answers() -> None:
    assert pass_at_k([(1, 2), (3, 3), (0, 0)]) == (0.75, 1.0)
    assert pass_hat_k([(1, 2), (3, 3), (0, 0)]) == (0.75, 0.5)
    assert pass_at_k([]) == pass_hat_k([(0, 0)]) == ()
