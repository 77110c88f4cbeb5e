"""Many streams together: what the server gave while it had as much to do as was intended."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.tokens import Arrival, arrivals

MIN_WINDOW_S = 0.5
"""In a shorter window, the one step of all streams that falls to this side of an edge or the other is too much of it."""

BRIDGED_S = 0.1
"""Between the end of a request and the next one that takes its place, the client needs a moment. Were it cut out, then
with it the tokens that all other streams got by the same step of the server, and the more the more streams there are."""

PEAK_S = 1.0
_ROUNDING_S = 1e-9


@dataclass(frozen=True, slots=True)
class Flight:
    """One request among others."""

    sent_s: float
    """Write of its last byte, in seconds on the monotonic clock that all flights share."""
    ended_s: float
    """End of its stream, or of the attempt, on the same clock."""
    exchange: Exchange | None
    """None if it failed."""


class Period(NamedTuple):
    """From one moment to another one, in seconds on the clock of the flights."""

    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class SystemFigures:
    """What the server gave to all streams together."""

    requests: int
    """All that were sent."""
    failed: int
    """Those that brought no whole answer; what they brought is in no rate."""
    window_s: float | None
    """Seconds during which the wanted number of requests was in flight."""
    throughput_tok_s: float | None
    """Tokens that came inside this window, over its length: prompts are read in it, ramps are not in it."""
    decode_throughput_tok_s: float | None
    """The same for the time when the wanted number of streams was between its first token and its last one."""
    peak_tok_s: float | None
    """Most tokens in any second."""
    request_rate_s: float | None
    """Whole answers per second, from the first request sent to the last one ended, ramps included."""
    unknown: Mapping[str, str]
    """For each figure that is None, the reason in words."""


def system_figures(flights: Sequence[Flight], concurrency: int | None) -> SystemFigures:
    """Read the figures of all streams together.

    Args:
        flights: in any order.
        concurrency: how many were meant to be in flight; None where requests arrived by themselves (open loop), the
            window is then from the first to the last one sent.
    """
    window = _window(flights, concurrency)
    window_s = _length_s(window)
    found: dict[str, float | Unknown] = {
        "window_s": window_s
        or Unknown(
            "fewer than two requests were sent"
            if concurrency is None
            else f"{concurrency} requests were never in flight"
        )
    }
    streams = _streams(flights)
    if isinstance(streams, Unknown):
        names = ("throughput_tok_s", "decode_throughput_tok_s", "peak_tok_s")
        found |= dict.fromkeys(names, streams)
    else:
        everything = sorted(arrival for stream in streams for arrival in stream)
        decoding = [Period(stream[0].at_s, stream[-1].at_s) for stream in streams]
        found["throughput_tok_s"] = _rate(everything, window)
        found["decode_throughput_tok_s"] = _rate(everything, periods_at(decoding, concurrency or 1, bridged_s=0.0))
        found["peak_tok_s"] = _peak(everything, flights)
    whole = [flight for flight in flights if flight.exchange is not None]
    found["request_rate_s"] = len(whole) / span_s(flights) if whole else Unknown("no request brought a whole answer")
    known = {name: None if isinstance(value, Unknown) else value for name, value in found.items()}
    unknown = {name: value.reason for name, value in found.items() if isinstance(value, Unknown)}
    return SystemFigures(requests=len(flights), failed=len(flights) - len(whole), **known, unknown=unknown)


def periods_at(spans: Iterable[Period], at_least: int, *, bridged_s: float = BRIDGED_S) -> tuple[Period, ...]:
    """Return when at least so many of the spans ran at once; dips of up to `bridged_s` seconds are passed over."""
    # Ends sort before begins at the same moment: a request and its successor are never in flight together.
    edges = sorted([(span.from_s, 1) for span in spans] + [(span.to_s, -1) for span in spans])
    found: list[Period] = []
    running, since_s = 0, 0.0
    for at_s, step in edges:
        if running == at_least and step < 0 and at_s > since_s:
            bridged = found and since_s - found[-1].to_s <= bridged_s
            found.append(Period(found.pop().from_s if bridged else since_s, at_s))
        running += step
        if running == at_least and step > 0:
            since_s = at_s
    return tuple(found)


def span_s(flights: Sequence[Flight]) -> float:
    """Return the seconds from the first request sent to the last one ended; at least one flight."""
    return max(flight.ended_s for flight in flights) - min(flight.sent_s for flight in flights)


def _window(flights: Sequence[Flight], concurrency: int | None) -> tuple[Period, ...]:
    if concurrency is not None:
        return periods_at([Period(flight.sent_s, flight.ended_s) for flight in flights], concurrency)
    sent_s = [flight.sent_s for flight in flights]
    return (Period(min(sent_s), max(sent_s)),) if sent_s else ()


def _streams(flights: Sequence[Flight]) -> list[tuple[Arrival, ...]] | Unknown:
    """Tokens of each whole answer on the shared clock; a single one whose tokens are unknown leaves all sums unknown."""
    found, reasons = [], []
    for flight in flights:
        if flight.exchange is None:
            continue
        own = arrivals(flight.exchange)
        if isinstance(own, Unknown):
            reasons.append(own.reason)
        elif own:
            found.append(tuple(Arrival(flight.sent_s + at_s, tokens) for at_s, tokens in own))
    if reasons:
        return Unknown(f"{len(reasons)} of {len(flights)} answers: {reasons[0]}")
    return found or Unknown("no request brought a whole answer")


def _length_s(periods: Sequence[Period]) -> float:
    return sum(period.to_s - period.from_s for period in periods)


def _rate(tokens: Sequence[Arrival], periods: Sequence[Period]) -> float | Unknown:
    length_s = _length_s(periods)
    if length_s < MIN_WINDOW_S:
        return Unknown(f"all streams ran together for {length_s:.2f} s only, less than {MIN_WINDOW_S} s")
    times_s = [each.at_s for each in tokens]
    sums = [0.0, *accumulate(each.tokens for each in tokens)]

    def until(at_s: float) -> float:
        return sums[bisect_right(times_s, at_s)]

    return sum(until(period.to_s) - until(period.from_s) for period in periods) / length_s


def _peak(tokens: Sequence[Arrival], flights: Sequence[Flight]) -> float | Unknown:
    if span_s(flights) < PEAK_S:
        return Unknown(f"all of it took less than {PEAK_S:g} s")
    most, inside, first = 0.0, 0.0, 0
    for arrival in tokens:
        inside += arrival.tokens
        while tokens[first].at_s <= arrival.at_s - PEAK_S + _ROUNDING_S:
            inside -= tokens[first].tokens
            first += 1
        most = max(most, inside)
    return most / PEAK_S
