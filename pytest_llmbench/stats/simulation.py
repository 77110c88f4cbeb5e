"""Answers drawn from a design again and again, each time put to the gate's test."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from pytest_llmbench.stats.design import LEVEL, Design

Floats = NDArray[np.float64]

DRAWS = 1_000
EXACT_ANSWERS = 40
"""Above so many answers the normal distribution stands in for the exact test."""


class Simulation:
    """The same answers drawn again and again, so that more of a drop never shows less."""

    def __init__(self, design: Design) -> None:
        self._chances = [np.array(chances) for _, chances in design.suites]
        self._rate = design.rate
        draws = np.random.default_rng(0)
        shared, own = math.sqrt(design.correlation), math.sqrt(1 - design.correlation)

        def latent(answers: int, checks: int) -> Floats:
            of_answer = draws.standard_normal((DRAWS, answers, 1))
            return shared * of_answer + own * draws.standard_normal((DRAWS, answers, checks))

        shapes = [(answers, len(chances)) for answers, chances in design.suites]
        self._before = self._passed((latent(*shape) for shape in shapes), 1)
        self._after = [latent(*shape) for shape in shapes]

    def power(self, drop: float) -> float:
        """Return in which share of the draws the test finds a drop of the rate by so much."""
        left = max(0.0, 1 - drop / self._rate)
        return float(np.mean(is_worse(self._passed(self._after, left) - self._before)))

    def _passed(self, latent: Iterable[Floats], left: float) -> Floats:
        """Count the checks that each answer passes where so much is left of their chances."""
        counts = [
            (drawn < ndtri(chances * left)).sum(axis=2) for drawn, chances in zip(latent, self._chances, strict=True)
        ]
        return np.concatenate(counts, axis=1)


def is_worse(changes: Floats) -> NDArray[np.bool_]:
    """Tell for each row of changes whether `paired.sign_flip_p` is at most `LEVEL`."""
    totals = changes.sum(axis=1)
    if changes.shape[1] > EXACT_ANSWERS:
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
