"""Rounds of a workload -> its row in the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_llmbench.model.speed import FIGURES, SpeedRow
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.goodput import Bounds
from pytest_llmbench.speed.marks import marks
from pytest_llmbench.speed.rounds import Figure, round_figures
from pytest_llmbench.speed.spread import spread
from pytest_llmbench.speed.window import Flight


@dataclass(frozen=True, slots=True)
class Aim:
    """What a workload asks of an endpoint."""

    endpoint: str
    workload: str
    concurrency: int | None = 1
    """Requests in flight; None for an open loop."""
    depth_tokens: int = 0
    target_prompt_tokens: int | None = None
    target_answer_tokens: int | None = None
    text: str | None = None
    """Kind of text in the prompt."""
    cached_on_purpose: bool = False
    """Whether prompts are meant to come from the server's cache."""
    bounds: Bounds | None = None
    """What goodput asks for."""


def speed_row(aim: Aim, rounds: Sequence[Sequence[Flight]], more_marks: Mapping[str, str] | None = None) -> SpeedRow:
    """Sum the rounds of a workload up.

    A figure that is known in some rounds only has their spread, which says how many they are.

    Args:
        aim: what the workload asked for.
        rounds: the requests of each round, without warm-up.
        more_marks: those that the answers do not show, such as `client-limited` and `unsettled`, with their reasons.
    """
    figures = [round_figures(flights, aim.concurrency, aim.bounds) for flights in rounds]
    flights = [flight for each in rounds for flight in each]
    found: dict[str, Any] = {}
    unknown: dict[str, str] = {}
    for name in FIGURES:
        values, reasons = _apart([figure[name] for figure in figures])
        if values:
            found[name] = spread(values)
        else:
            unknown[name] = reasons[0] if reasons else "no round was measured"
    return SpeedRow(
        endpoint=aim.endpoint,
        workload=aim.workload,
        concurrency=aim.concurrency,
        depth_tokens=aim.depth_tokens,
        target_prompt_tokens=aim.target_prompt_tokens,
        target_answer_tokens=aim.target_answer_tokens,
        text=aim.text,
        rounds=len(rounds),
        requests=len(flights),
        failed=sum(flight.exchange is None for flight in flights),
        transport=_transport(flights),
        goodput_bounds={} if aim.bounds is None else aim.bounds.by_name,
        **found,
        unknown=unknown,
        marks=marks(flights, aim.target_answer_tokens, cached_on_purpose=aim.cached_on_purpose)
        | dict(more_marks or {}),
    )


def _apart(figures: Sequence[Figure]) -> tuple[list[float], list[str]]:
    values = [figure for figure in figures if not isinstance(figure, Unknown)]
    return values, [figure.reason for figure in figures if isinstance(figure, Unknown)]


def _transport(flights: Sequence[Flight]) -> str | None:
    used = {flight.exchange.transport for flight in flights if flight.exchange is not None} - {None}
    return "mixed" if len(used) > 1 else next(iter(used), None)
