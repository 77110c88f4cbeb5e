"""When requests arrive that do not wait for each other."""

from __future__ import annotations

from itertools import accumulate
from random import Random


def poisson_s(rate_s: float, count: int, seed: int) -> tuple[float, ...]:
    """Return arrival times of a Poisson process, in seconds from its beginning: the same for the same seed.

    Args:
        rate_s: arrivals per second in the mean, above 0.
        count: how many.
        seed: of the random numbers.
    """
    random = Random(seed)  # noqa: S311 (no secret)
    return tuple(accumulate(random.expovariate(rate_s) for _ in range(count)))
