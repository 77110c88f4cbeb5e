"""How fast a server reads prompts: what TTFT grows by for each token of the prompt."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pytest_llmbench.model.unknown import Unknown

MIN_LENGTHS = 3
"""Two lengths give a slope that nothing contradicts."""

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class PrefillPoint:
    """One prompt."""

    prompt_tokens: int
    """As the server counted; cached ones included."""
    ttft_s: float
    cached_tokens: int | None = None
    """Of the prompt, by the server's word; None where it gave none, and then none are taken off."""

    @property
    def uncached_tokens(self) -> int:
        """Tokens that the server had to read."""
        return self.prompt_tokens - (self.cached_tokens or 0)


@dataclass(frozen=True, slots=True)
class Prefill:
    """A line through TTFT over uncached prompt tokens: rate = 1 / its slope. Not prompt / TTFT, which charges the fixed cost to the prompt."""

    rate_tok_s: float
    """Prompt tokens per second: 1 / the median of the slopes between any two points of different length (Theil-Sen)."""
    low_tok_s: float | None
    """Lower end of the 95 % interval of the rate (Sen); None where there are too few points for one."""
    high_tok_s: float | None
    """Upper end; None where there is none, because the slope may as well be 0."""
    fixed_s: float
    """Seconds of TTFT that no prompt token accounts for: median of what the line leaves. Below 0 where cost per token grows with the length."""
    misfit: float
    """Median distance of TTFT from the line, as a share of TTFT: large where no line describes the points."""
    lengths: int
    """Different lengths among the points."""
    cache_known: bool
    """Whether the server said for each prompt how much of it came from its cache."""


def prefill(points: Sequence[PrefillPoint]) -> Prefill | Unknown:
    """Fit the line; unknown with fewer than three lengths, or where TTFT does not grow with the prompt."""
    tokens = [point.uncached_tokens for point in points]
    lengths = len(set(tokens))
    if lengths < MIN_LENGTHS:
        return Unknown(f"{lengths} different prompt lengths, {MIN_LENGTHS} are needed for a slope")
    slopes = sorted(
        (later.ttft_s - earlier.ttft_s) / (later.uncached_tokens - earlier.uncached_tokens)
        for earlier, later in combinations(points, 2)
        if later.uncached_tokens != earlier.uncached_tokens
    )
    slope = statistics.median(slopes)
    if slope <= 0:
        return Unknown("TTFT does not grow with the prompt: it came from a cache, or something else took longer")
    fixed_s = statistics.median(point.ttft_s - slope * point.uncached_tokens for point in points)
    low, high = _interval(slopes, tokens)
    return Prefill(
        rate_tok_s=1 / slope,
        low_tok_s=None if high is None else 1 / high,
        high_tok_s=None if low is None or low <= 0 else 1 / low,
        fixed_s=fixed_s,
        misfit=statistics.median(
            abs(point.ttft_s - fixed_s - slope * point.uncached_tokens) / point.ttft_s for point in points
        ),
        lengths=lengths,
        cache_known=all(point.cached_tokens is not None for point in points),
    )


def _interval(slopes: Sequence[float], tokens: Sequence[int]) -> tuple[float | None, float | None]:
    """Return Sen's interval of the slope: the ranks of the slopes that Kendall's statistic leaves open.

    Its variance is n(n-1)(2n+5)/18, less the same of each group of points with one length.
    """
    groups = [len(tokens), *(-size for size in Counter(tokens).values())]
    variance = sum(math.copysign(abs(n) * (abs(n) - 1) * (2 * abs(n) + 5) / 18, n) for n in groups)
    reach = Z_95 * math.sqrt(variance)
    lower = math.floor((len(slopes) - reach) / 2) - 1
    upper = math.ceil((len(slopes) + reach) / 2)
    if lower < 0 or upper >= len(slopes):
        return None, None
    return slopes[lower], slopes[upper]
