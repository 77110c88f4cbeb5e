"""How often the gate is right: simulated runs of endpoints whose true quality is known.

    python -m benchmarks.gate [--gates N] [--samples N,N,…]

Two endpoints answer five suites with the 22 checks of this project. Each check has its own chance to pass (78.5 % in the mean),
the checks of one answer stand and fall together (`corr`: of the normal copula that draws them), the new endpoint is `drop`
points worse. None of that is how the gate's own plan (`stats.simulation`) draws its answers: there, chances are estimated.

`red`       gates, in per cent, that say NOT MET; with no drop that is the rate of false alarms, which must be at or under 5
`computed`  what the gate computed beforehand, from runs of two equal endpoints, as its power to see this drop
`McNemar`   red if each check had an answer of its own: scipy's exact binomial test on discordant pairs
`smallest`  drop that the gate says it could show
`rate`      how often the 95 % interval of the new rate holds the true one, and how wide it is, in points
`naive`     the same for Wilson's interval on the number of checks; `bootstrap` for scipy's over answers, percentile method
`diff`      the same for the interval of the difference

A figure beyond its bound is marked with `!`, and the exit status is then 1. Bounds leave room for what chance does to so many
gates.
"""

from __future__ import annotations

import argparse
import math
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.stats import power
from pytest_llmbench.stats.design import LEVEL, Design
from pytest_llmbench.stats.intervals import clustered_interval, clusters, difference_interval, wilson
from pytest_llmbench.stats.paired import net_changes, pair_up, sign_flip_p
from pytest_llmbench.stats.simulation import Simulation

SUITES = {"zmq": 2, "pplns": 3, "payment": 4, "stratum": 5, "hiveos": 8}
DROPS = (0, 5, 10, 20)
CORRELATIONS = (0.0, 0.5)
PLANS = 10
"""Gates of which the computed power is averaged; each takes a second."""
BOOTSTRAPS = 100
LEVEL_PERCENT = 100 * LEVEL
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class World:
    """The truth."""

    chances: tuple[Floats, ...]
    """Of each suite, those of its checks to pass."""
    correlation: float

    @property
    def rate(self) -> float:
        """Of all checks."""
        return float(np.concatenate(self.chances).mean())

    def worse(self, drop: float) -> World:
        """Let every check lose the same number of points; those that have not so many lose all, the others more."""
        chances = np.concatenate(self.chances)
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (
                (low, middle) if chances.mean() - np.clip(chances - middle, 0, 1).mean() > drop else (middle, high)
            )
        return World(tuple(np.clip(one - high, 0, 1) for one in self.chances), self.correlation)

    def answer(self, endpoint: str, samples: int, draws: np.random.Generator) -> tuple[Check, ...]:
        """Draw answers and let them be judged."""
        return tuple(
            Check(endpoint, suite, str(number), sample + 1, _OUTCOME[bool(passed)], None, 0.0, "")
            for suite, chances in zip(SUITES, self.chances, strict=True)
            for sample, of_answer in enumerate(self._passed(chances, samples, draws))
            for number, passed in enumerate(of_answer)
        )

    def _passed(self, chances: Floats, samples: int, draws: np.random.Generator) -> NDArray[np.bool_]:
        shared = draws.standard_normal((samples, 1))
        own = draws.standard_normal((samples, len(chances)))
        latent = math.sqrt(self.correlation) * shared + math.sqrt(1 - self.correlation) * own
        return np.asarray(stats.norm.cdf(latent) < chances)


_OUTCOME = {True: Outcome.PASSED, False: Outcome.WRONG}


def make_world(correlation: float) -> World:
    """Draw chances that differ between suites and between checks."""
    draws = np.random.default_rng(22)
    return World(
        tuple(
            1 / (1 + np.exp(-(1.9 + 0.7 * draws.standard_normal() + draws.standard_normal(size))))
            for size in SUITES.values()
        ),
        correlation,
    )


@dataclass(slots=True)
class Tally:
    """What became of the gates of one row."""

    red: int = 0
    mcnemar: int = 0
    rate: list[tuple[bool, float]] = field(default_factory=list)
    naive: list[tuple[bool, float]] = field(default_factory=list)
    bootstrap: list[tuple[bool, float]] = field(default_factory=list)
    difference: list[tuple[bool, float]] = field(default_factory=list)


def run_gates(before: World, after: World, samples: int, gates: int, seed: int) -> Tally:
    """Let so many gates judge."""
    draws = np.random.default_rng(seed)
    tally = Tally()
    for number in range(gates):
        old, new = before.answer("old", samples, draws), after.answer("new", samples, draws)
        pairs = pair_up(old, new)
        tally.red += sign_flip_p(net_changes(pairs)) <= LEVEL
        worse, better = sum(pair.net < 0 for pair in pairs), sum(pair.net > 0 for pair in pairs)
        tally.mcnemar += float(stats.binom.cdf(better, worse + better, 0.5)) <= LEVEL
        sides = clusters(old), clusters(new)
        passed, scored = (sum(getattr(one, name) for one in sides[1]) for name in ("passed", "scored"))
        tally.rate.append(_held(clustered_interval(sides[1]), after.rate))
        tally.naive.append(_held(wilson(passed / scored, scored), after.rate))
        tally.difference.append(_held(difference_interval(*sides), after.rate - before.rate))
        if number < BOOTSTRAPS:
            tally.bootstrap.append(_held(_bootstrap(new), after.rate))
    return tally


def _bootstrap(checks: Sequence[Check]) -> tuple[float, float]:
    answers = clusters(checks)
    passed, scored = (np.array([getattr(one, name) for one in answers]) for name in ("passed", "scored"))

    def rate(passed: Floats, scored: Floats, axis: int = -1) -> Floats:
        return np.asarray(passed.sum(axis=axis) / scored.sum(axis=axis))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of samples that are all alike
        found = stats.bootstrap(
            (passed, scored), rate, paired=True, vectorized=True, n_resamples=999, method="percentile", rng=1
        ).confidence_interval
    return float(found.low), float(found.high)


def _held(interval: tuple[float, float], truth: float) -> tuple[bool, float]:
    low, high = interval
    return low - 1e-12 <= truth <= high + 1e-12, high - low


def plans(world: World, samples: int) -> list[Design]:
    """What the gate makes of runs of two endpoints of the same quality."""
    draws = np.random.default_rng(5)
    found = []
    for _ in range(PLANS):
        sides = world.answer("old", samples, draws), world.answer("new", samples, draws)
        found.append(power.fit(pair_up(*sides), [clusters(side) for side in sides]))
    return found


def rows(gates: int, sample_sizes: Sequence[int]) -> Iterator[str]:
    """Yield a line for each combination of samples, correlation and drop."""
    slack = _slack(LEVEL, gates)
    for samples in sample_sizes:
        for correlation in CORRELATIONS:
            world = make_world(correlation)
            designs = plans(world, samples)
            smallest = [drop for design in designs if (drop := power.smallest_drop(design)) is not None]
            for drop in DROPS:
                tally = run_gates(world, world.worse(drop / 100), samples, gates, seed=1000 * samples + drop)
                red = 100 * tally.red / gates
                computed = _computed(designs, drop / 100) if drop else LEVEL_PERCENT
                bound = POWER_BOUND + _slack(computed / 100, gates) if drop else slack
                wrong = red - computed > bound or (drop and computed - red > bound)
                shown = f"{100 * np.median(smallest):5.0f}" if smallest else "    -"
                yield (
                    f"{samples:7} {correlation:4.1f} {drop:4} | {red:5.1f}{'!' if wrong else ' '} {computed:8.1f} "
                    f"{100 * tally.mcnemar / gates:7.1f} | {shown:>8} | {_covered(tally.rate, slack)} {_covered(tally.naive)} "
                    f"{_covered(tally.bootstrap)} | {_covered(tally.difference, slack)}"
                )


POWER_BOUND = 8.0
"""Points between the power that was computed and the one that is true."""


def _slack(share: float, gates: int) -> float:
    """Return the points by which a share of so many gates is hardly ever beyond the true one."""
    return 300 * math.sqrt(share * (1 - share) / gates)


def _computed(designs: Sequence[Design], drop: float) -> float:
    return 100 * float(np.mean([Simulation(design).power(drop) for design in designs]))


def _covered(held: Sequence[tuple[bool, float]], slack: float | None = None) -> str:
    share = 100 * sum(each for each, _ in held) / len(held)
    mark = "!" if slack is not None and share < 100 - LEVEL_PERCENT - slack else " "
    return f"{share:5.1f}{mark}±{50 * np.mean([width for _, width in held]):4.1f}"


HEADER = (
    f"{'samples':>7} {'corr':>4} {'drop':>4} | {'red %':>6} {'computed':>8} {'McNemar':>7} | {'smallest':>8} | "
    f"{'rate':>11} {'naive':>11} {'bootstrap':>11} | {'diff':>11}"
)


def main(words: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gates", type=int, default=1000, help="of each row")
    parser.add_argument("--samples", default="1,5,10,20", help="answers to each suite")
    given = parser.parse_args(words)
    print(f"true rate {100 * make_world(0).rate:.1f} %, {given.gates} gates a row")
    print(HEADER)
    is_right = True
    for row in rows(given.gates, [int(part) for part in given.samples.split(",")]):
        print(row, flush=True)
        is_right &= "!" not in row
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
