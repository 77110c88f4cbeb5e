"""Goodput: how many requests were served as well as was promised."""

from __future__ import annotations

from collections.abc import Sequence
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
    pairs = [(own.ttft_s, bounds.max_ttft_s), (own.tpot_s, bounds.max_tpot_s)]
    verdicts = [None if value is None else value <= bound for value, bound in pairs if bound is not None]
    if False in verdicts:
        return False  # whatever the others would be
    return None if None in verdicts else True
