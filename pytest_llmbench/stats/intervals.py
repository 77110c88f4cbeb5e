"""Intervals of pass rates, where the checks of one answer stand and fall together.

What varies from run to run is the answer, so the answer is the unit: the effective number of checks is their number
over the design effect (how much more a sum of checks varies than if each had an answer of its own). It is estimated
from how the answers to one suite differ among themselves. So few answers estimate it badly, so the estimate is moderated:
averaged with what is assumed beforehand, as if that had been seen in `PRIOR_ANSWERS` more answers (Smyth 2004 does the
same for variances of genes). Wilson's interval on the effective number then stays sane at 0 and 1.

`benchmarks/gate.py` prints how often it holds the true rate, beside what else was tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome

Z_95 = NormalDist().inv_cdf(0.975)
PRIOR_CORRELATION = 0.5
"""Between two checks of one answer, until the answers tell otherwise; more than is usual."""
PRIOR_ANSWERS = 20

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The scored checks of one answer."""

    suite: str
    passed: int
    scored: int


def clusters(checks: Iterable[Check]) -> tuple[Cluster, ...]:
    """Gather scored checks, of one endpoint, by the answer that they share."""
    found: dict[tuple[str, int], list[bool]] = {}
    for check in checks:
        if check.outcome.scored:
            found.setdefault((check.suite, check.sample), []).append(check.outcome is Outcome.PASSED)
    return tuple(Cluster(suite, sum(passed), len(passed)) for (suite, _), passed in found.items())


def clustered_interval(answers: Sequence[Cluster]) -> Interval:
    """Return the 95 % interval of the pass rate; at least one check must have been scored."""
    scored = sum(answer.scored for answer in answers)
    return wilson(sum(answer.passed for answer in answers) / scored, scored / design_effect(answers))


def design_effect(answers: Sequence[Cluster]) -> float:
    """Return the variance of the rate over what it were if each check had an answer of its own; at least 1."""
    scored = sum(answer.scored for answer in answers)
    passed = sum(answer.passed for answer in answers)
    size = sum(answer.scored**2 for answer in answers) / scored
    assumed = 1 + (size - 1) * PRIOR_CORRELATION
    rarer = min(passed, scored - passed)
    if not rarer:
        return assumed
    seen, freedom = seen_variance(answers)
    independent = passed * (scored - passed) / scored
    # A single failure falls with no other one, and that tells nothing: each is at most one degree of freedom.
    return moderated(seen / independent, min(freedom, rarer), assumed, PRIOR_ANSWERS)


def moderated(seen: float, freedom: int, assumed: float, prior: int) -> float:
    """Return a design effect: what was seen, on so many degrees of freedom, averaged with what was assumed; at least 1."""
    return max(1.0, (freedom * seen + prior * assumed) / (freedom + prior))


def wilson(rate: float, number: float) -> Interval:
    """Return the 95 % Wilson score interval of a rate over `number` checks, which need not be whole but more than 0."""
    centre = rate + Z_95**2 / (2 * number)
    spread = Z_95 * math.sqrt(rate * (1 - rate) / number + Z_95**2 / (4 * number**2))
    scale = 1 + Z_95**2 / number
    # At the ends the formula is exact, rounding is not.
    return (0.0 if rate <= 0 else (centre - spread) / scale), (1.0 if rate >= 1 else (centre + spread) / scale)


def difference_interval(before: Sequence[Cluster], after: Sequence[Cluster]) -> Interval:
    """Return the 95 % interval of rate after - rate before, by square-and-add of the two intervals (Newcombe 1998, method 10)."""
    first, second = (sum(one.passed for one in side) / sum(one.scored for one in side) for side in (before, after))
    (low_1, high_1), (low_2, high_2) = clustered_interval(before), clustered_interval(after)
    found = second - first
    return (
        max(-1.0, found - math.hypot(second - low_2, high_1 - first)),
        min(1.0, found + math.hypot(high_2 - second, first - low_1)),
    )


def seen_variance(answers: Sequence[Cluster]) -> tuple[float, int]:
    """Estimate the variance of the number of passed checks, suites taken as fixed, and say on how many degrees of freedom.

    Suites that were answered but once are taken as answers to one and the same: what suites differ in then counts as chance,
    which errs on the side of caution.
    """
    by_suite: dict[str, list[Cluster]] = {}
    for answer in answers:
        by_suite.setdefault(answer.suite, []).append(answer)
    once = [group[0] for group in by_suite.values() if len(group) == 1]
    strata = [group for group in (*by_suite.values(), once) if len(group) > 1]
    seen, freedom = 0.0, 0
    for stratum in strata:
        rate = sum(one.passed for one in stratum) / sum(one.scored for one in stratum)
        squares = sum((one.passed - one.scored * rate) ** 2 for one in stratum)
        seen += len(stratum) / (len(stratum) - 1) * squares
        freedom += len(stratum) - 1
    covered = sum(one.scored for stratum in strata for one in stratum)
    # One suite answered once among others answered often: it tells nothing, and is taken to be like the others.
    return (seen * sum(one.scored for one in answers) / covered if covered else 0.0), freedom
