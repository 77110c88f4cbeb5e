"""Goodput: how many requests were served as well as was promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.figures import stream_figures
from pytest_llmbench.speed.window import Flight, span_s


@dataclass(frozen=True, slots=True)
class Bounds:
    """What was promised for each request; None bounds nothing."""

    max_ttft_s: float | None = None
    """Seconds to the first token."""
    max_tpot_s: float | None = None
    """Seconds per output token after it."""
    max_itl_s: float | None = None
    """Seconds between tokens, 99 % of those of the request."""
    max_e2e_s: float | None = None
    """Seconds to the end of the answer."""

    @property
    def by_name(self) -> Mapping[str, float]:
        """Those that are set, in seconds, under the names that `read_bounds` knows."""
        values = {name: getattr(self, bound) for name, bound in _NAMES.items()}
        return {name: value for name, value in values.items() if value is not None}


_NAMES: Mapping[str, str] = {"ttft": "max_ttft_s", "tpot": "max_tpot_s", "itl": "max_itl_s", "e2e": "max_e2e_s"}
"""What a user calls the bounds."""
_FIGURES: Mapping[str, str] = {
    "max_ttft_s": "ttft_s",
    "max_tpot_s": "tpot_s",
    "max_itl_s": "itl_p99_s",
    "max_e2e_s": "e2e_s",
}
"""For each bound, the figure of `StreamFigures` that it is for."""


def read_bounds(text: str) -> Bounds:
    """Read bounds as a user writes them, such as `ttft:0.5,tpot:0.05`, in seconds.

    Raises:
        ValueError: they cannot be meant; the message says what was wanted.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition(":")
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0.0
        if name not in _NAMES or _NAMES[name] in found or not 0 < seconds < float("inf"):
            raise ValueError(
                f"got {part!r}; wanted NAME:SECONDS, by commas, each NAME once: {', '.join(_NAMES)}, such as ttft:0.5,tpot:0.05"
            )
        found[_NAMES[name]] = seconds
    return Bounds(**found)


@dataclass(frozen=True, slots=True)
class Goodput:
    """Requests that met all bounds; a failed one met none."""

    met: int
    judged: int
    """Requests whose bounded figures are known, and those that failed."""
    share: float
    """`met` / `judged`."""
    rate_s: float | None
    """`met` per second, from the first request sent to the last one ended; None if not all could be judged."""


def goodput(flights: Sequence[Flight], bounds: Bounds) -> Goodput | Unknown:
    """Count the requests that met the bounds; unknown if not a single one could be judged."""
    verdicts = [_meets(flight, bounds) for flight in flights]
    judged = [verdict for verdict in verdicts if verdict is not None]
    if not judged:
        return Unknown("of no request, the figures that the bounds are for are known" if flights else "no requests")
    met, whole = sum(judged), len(judged) == len(flights)
    return Goodput(met, len(judged), met / len(judged), met / span_s(flights) if whole else None)


def _meets(flight: Flight, bounds: Bounds) -> bool | None:
    if flight.exchange is None:
        return False
    own = stream_figures(flight.exchange)
    pairs = [(getattr(own, figure), getattr(bounds, bound)) for bound, figure in _FIGURES.items()]
    verdicts = [None if value is None else value <= bound for value, bound in pairs if bound is not None]
    if False in verdicts:
        return False  # whatever the others would be
    return None if None in verdicts else True
