from __future__ import annotations

import numpy as np
import pytest

from pytest_llmbench.stats import power
from pytest_llmbench.stats.design import LEVEL, POWER, Design
from pytest_llmbench.stats.intervals import clusters
from pytest_llmbench.stats.paired import pair_up, sign_flip_p
from pytest_llmbench.stats.simulation import EXACT_ANSWERS, Simulation, is_worse
from tests.stats.making import checks

SIZES = (2, 3, 4, 5, 8)


def design(samples: int, chance: float = 0.9, correlation: float = 0.3) -> Design:
    return Design(tuple((samples, (chance,) * size) for size in SIZES), correlation)


def test_it_calls_worse_what_the_exact_test_does() -> None:
    changes = np.random.default_rng(1).integers(-4, 3, size=(200, 11))
    found = is_worse(changes.astype(float))
    assert 20 < found.sum() < 180
    assert [sign_flip_p([int(one) for one in row]) <= LEVEL for row in changes] == list(found)


def test_what_stands_in_for_the_exact_test_is_near_it() -> None:
    changes = np.random.default_rng(1).integers(-2, 2, size=(100, EXACT_ANSWERS + 1))
    assert 20 < is_worse(changes.astype(float)).sum() < 100
    exact = np.array([sign_flip_p([int(one) for one in row]) <= LEVEL for row in changes])
    assert (exact != is_worse(changes.astype(float))).mean() <= 0.03


def test_one_check_to_an_answer_has_the_power_of_the_textbook() -> None:
    # Without noise before, each of 20 answers gets worse with 0.3: the test wants five of them.
    flawless = Design(((20, (1 - 1e-12,)),), 0.0)
    wanted = 1 - sum(0.3**worse * 0.7 ** (20 - worse) * count for worse, count in enumerate((1, 20, 190, 1140, 4845)))
    assert Simulation(flawless).power(0.3) == pytest.approx(wanted, abs=0.04)


def test_more_answers_show_smaller_drops() -> None:
    drops = [power.smallest_drop(design(samples)) for samples in (1, 3, 8, 20)]
    assert None not in drops
    assert drops == sorted(drops, key=lambda drop: -(drop or 0))
    assert (drops[0] or 0) > 0.5
    assert (drops[-1] or 1) < 0.12


def test_answers_of_which_the_checks_fall_together_show_less() -> None:
    apart, together = (power.smallest_drop(design(8, correlation=correlation)) for correlation in (0.0, 0.8))
    assert apart is not None
    assert together is not None
    assert together > 1.2 * apart


def test_too_few_answers_show_nothing() -> None:
    assert power.smallest_drop(Design(((4, (0.9, 0.9)),), 0.0)) is None


def test_the_smallest_drop_and_the_samples_for_it_agree() -> None:
    drop = power.smallest_drop(design(6))
    assert drop is not None
    needed = power.samples_needed(design(1), drop)
    assert needed is not None
    assert 5 <= needed <= 7
    assert Simulation(design(6)).power(drop) >= POWER


def test_no_number_of_samples_shows_what_is_too_small() -> None:
    assert power.samples_needed(design(5, chance=0.5), 0.01) is None


def test_where_there_is_less_to_lose_than_the_drop_the_loss_of_all_is_shown() -> None:
    weak = design(5, chance=0.3)
    needed = power.samples_needed(weak, 0.4)
    assert needed is not None
    assert power.samples_needed(weak, 0.3) == needed
    assert power.smallest_drop(weak.with_answers(needed)) is not None


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_the_model_is_fitted_to_what_was_seen(correlation: float) -> None:
    draws = np.random.default_rng(2)

    def answers() -> list[str]:
        latent = correlation**0.5 * draws.standard_normal((300, 1))
        latent = latent + (1 - correlation) ** 0.5 * draws.standard_normal((300, 4))
        return ["".join("P" if good else "W" for good in row) for row in latent < np.array([-0.5, 0.0, 1.0, 2.0])]

    old, new = checks("old", s=answers()), checks("new", s=answers())
    found = power.fit(pair_up(old, new), [clusters(old), clusters(new)])
    ((number, chances),) = found.suites
    assert number == 300
    assert chances == pytest.approx([0.31, 0.5, 0.84, 0.98], abs=0.05)
    assert found.correlation == pytest.approx(correlation, abs=0.15)
