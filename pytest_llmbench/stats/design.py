"""What a comparison consists of, as far as its power depends on it, and what power is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

LEVEL = 0.05
"""Chance of a false alarm, at most."""
POWER = 0.8
"""Chance that a drop of the size in question is found."""
MAX_SAMPLES = 200

Suites = tuple[tuple[int, tuple[float, ...]], ...]
"""Of each suite: pairs of answers, and the chance of each of its checks to pass."""


@dataclass(frozen=True, slots=True)
class Design:
    """The answers of a comparison, and how they come about."""

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
