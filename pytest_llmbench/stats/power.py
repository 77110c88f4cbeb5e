"""How small a drop these answers could show, and how many samples it would take to show a smaller one.

Both are simulated from a model of the answers that is fitted to what was seen: each check has its own chance to pass, drawn
towards the mean of all where few answers tell it, and the checks of one answer are correlated (a normal copula). A drop lets
all chances fall by the same factor. The draws are the same each time, so that the figures are, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_llmbench.stats.intervals import Cluster, moderated, seen_variance
from pytest_llmbench.stats.paired import Pair

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL = 0.05
"""Chance of a false alarm, at most."""
POWER = 0.8
"""Chance that a drop of the size in question is found."""
MAX_SAMPLES = 200
PRIOR_CORRELATION = 0.4
"""Of the copula, until the answers tell otherwise: what is usual rather than what is safe, as this is a plan, and no bound."""
PRIOR_ANSWERS = 10
"""So many does that assumption count."""
_PRIOR_PASSES = 2.0
"""Answers' worth of the mean that each check's own rate is averaged with."""
_DRAWS = 1_000
_STEPS = 8
_BISECTIONS = 12
_EXACT_ANSWERS = 40
"""Above so many answers the normal distribution stands in for the exact test."""


Suites = tuple[tuple[int, tuple[float, ...]], ...]
"""Of each suite: pairs of answers, and the chance of each of its checks to pass."""


@dataclass(frozen=True, slots=True)
class Design:
    """What a comparison consists of."""

    suites: Suites
    correlation: float
    """Between the checks of one answer, in the normal copula."""

    @property
    def rate(self) -> float:
        """Pass rate that is expected without a drop."""
        weights = sum(answers * len(chances) for answers, chances in self.suites)
        return sum(answers * sum(chances) for answers, chances in self.suites) / weights

    def with_answers(self, number: int) -> Design:
        """Return the same checks with so many pairs of answers to each suite."""
        return replace(self, suites=tuple((number, chances) for _, chances in self.suites))


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
    simulation = _Simulation(design)
    if simulation.power(design.rate) < POWER:
        return None
    low, high = 0.0, design.rate
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if simulation.power(middle) >= POWER else (middle, high)
    return high


def power(design: Design, drop: float) -> float:
    """Return how likely a drop of the rate by so much is found."""
    return _Simulation(design).power(drop)


def samples_needed(design: Design, drop: float) -> int | None:
    """Return how many different answers to each suite show such a drop; None if that many were too many."""

    def shows(samples: int) -> bool:
        return _Simulation(design.with_answers(samples)).power(drop) >= POWER

    if drop > design.rate:
        return None
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
    import numpy as np  # noqa: PLC0415 - only runs that compare pay for it
    from scipy.special import ndtr, ndtri  # noqa: PLC0415

    at, weights = np.polynomial.hermite_e.hermegauss(32)
    weights /= weights.sum()
    total = 0.0
    for answers, chances in suites:
        given = ndtr((ndtri(np.array(chances)) - math.sqrt(correlation) * at[:, None]) / math.sqrt(1 - correlation))
        spread = given - weights @ given
        total += answers * float(weights @ (spread.sum(axis=1) ** 2 - (spread**2).sum(axis=1)))
    return total


class _Simulation:
    """The same answers drawn again and again, so that more of a drop never shows less."""

    def __init__(self, design: Design) -> None:
        import numpy as np  # noqa: PLC0415 - only runs that compare pay for it

        self._design = design
        draws = np.random.default_rng(0)
        shared, own = math.sqrt(design.correlation), math.sqrt(1 - design.correlation)

        def latent(answers: int, checks: int) -> Floats:
            of_answer, of_check = (
                draws.standard_normal((_DRAWS, answers, 1)),
                draws.standard_normal((_DRAWS, answers, checks)),
            )
            return shared * of_answer + own * of_check

        shapes = [(answers, len(chances)) for answers, chances in design.suites]
        self._before = np.concatenate(
            [
                self._passed(latent(*shape), chances, 1)
                for shape, (_, chances) in zip(shapes, design.suites, strict=True)
            ],
            axis=1,
        )
        self._after = [latent(*shape) for shape in shapes]

    def power(self, drop: float) -> float:
        """Return in which share of the draws the test finds a drop of the rate by so much."""
        import numpy as np  # noqa: PLC0415

        left = max(0.0, 1 - drop / self._design.rate)
        after = [
            self._passed(latent, chances, left)
            for latent, (_, chances) in zip(self._after, self._design.suites, strict=True)
        ]
        return float(np.mean(_is_worse(np.concatenate(after, axis=1) - self._before)))

    @staticmethod
    def _passed(latent: Floats, chances: Sequence[float], left: float) -> Floats:
        import numpy as np  # noqa: PLC0415
        from scipy.special import ndtri  # noqa: PLC0415

        passed: Floats = (latent < ndtri(np.array(chances) * left)).sum(axis=2)
        return passed


def _is_worse(changes: Floats) -> NDArray[np.bool_]:
    """Tell for each row of changes whether `paired.sign_flip_p` is at most `LEVEL`."""
    import numpy as np  # noqa: PLC0415
    from scipy.special import ndtr  # noqa: PLC0415

    totals = changes.sum(axis=1)
    if changes.shape[1] > _EXACT_ANSWERS:
        spread = np.sqrt((changes**2).sum(axis=1))
        # Half a step towards the middle: sums are whole numbers, mostly of every second one.
        return np.asarray(ndtr((totals + 0.5) / np.maximum(spread, 1e-9)) <= LEVEL)
    sizes = np.abs(changes)
    reach = int(sizes.sum(axis=1).max(initial=0))
    length = 2 * reach + 1
    angles = 2 * np.pi * np.arange(reach + 1) / length
    # The distribution of a sum of signed sizes has the product of their cosines as its characteristic function.
    transform = np.ones((len(changes), reach + 1))
    for size in range(1, int(sizes.max(initial=0)) + 1):
        transform *= np.cos(angles * size) ** (sizes == size).sum(axis=1)[:, None]
    chances = np.fft.fftshift(np.fft.irfft(transform, n=length, axis=1), axes=1)
    at_most = np.cumsum(chances, axis=1)[np.arange(len(changes)), (totals + reach).astype(int)]
    return np.asarray(at_most <= LEVEL + 1e-9)
