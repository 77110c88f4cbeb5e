"""Two endpoints on the same checks: which verdicts belong together, and whether chance alone explains how they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Pair:
    """One check of one answer, before and after."""

    before: Check
    after: Check
    place: int
    """Which pair of answers to the suite it is of; counts from 0."""

    @property
    def net(self) -> int:
        """1 if only the later one passed, -1 if only the earlier one did, else 0."""
        return (self.after.outcome is Outcome.PASSED) - (self.before.outcome is Outcome.PASSED)

    @property
    def scored(self) -> bool:
        """Whether both say something about their model."""
        return self.before.outcome.scored and self.after.outcome.scored


def pair_up(before: Sequence[Check], after: Sequence[Check]) -> tuple[Pair, ...]:
    """Pair the checks of two endpoints by suite, check and sample; both sides hold the answers that count.

    Where answers were repeated, the n-th that counts of one side goes with the n-th of the other.
    """
    known = {(check.suite, place, check.check): check for check, place in _placed(before)}
    return tuple(
        Pair(known[key], check, place)
        for check, place in _placed(after)
        if (key := (check.suite, place, check.check)) in known
    )


def net_changes(pairs: Iterable[Pair]) -> tuple[int, ...]:
    """Return for each pair of answers how many checks more passed than before; of scored pairs only."""
    found: dict[tuple[str, int], int] = {}
    for pair in pairs:
        if pair.scored:
            answer = (pair.after.suite, pair.place)
            found[answer] = found.get(answer, 0) + pair.net
    return tuple(found.values())


def sign_flip_p(changes: Sequence[int]) -> float:
    """Return how often the sum of changes would be as low or lower if each had had either sign with equal chance.

    The exact permutation test of paired answers: if both models are the same, nothing but chance says which of two answers
    was the new one's. With one check to an answer it is the one-sided exact test on discordant pairs (McNemar).
    """
    ways = {0: 1}
    for change in map(abs, changes):
        if change:
            following: dict[int, int] = {}
            for total, number in ways.items():
                for step in (total - change, total + change):
                    following[step] = following.get(step, 0) + number
            ways = following
    observed = sum(changes)
    return float(Fraction(sum(number for total, number in ways.items() if total <= observed), sum(ways.values())))


def _placed(checks: Sequence[Check]) -> list[tuple[Check, int]]:
    samples: dict[str, set[int]] = {}
    for check in checks:
        samples.setdefault(check.suite, set()).add(check.sample)
    place = {suite: {sample: at for at, sample in enumerate(sorted(found))} for suite, found in samples.items()}
    return [(check, place[check.suite][check.sample]) for check in checks]
