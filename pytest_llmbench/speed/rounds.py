"""One round of a workload, which may hold many requests, as one value for each figure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence

from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.model.decode import ONE_READ
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.figures import StreamFigures, stream_figures
from pytest_llmbench.speed.goodput import Bounds, goodput
from pytest_llmbench.speed.prefill import PrefillPoint, prefill
from pytest_llmbench.speed.tokens import Gap, arrivals, percentiles, token_gaps
from pytest_llmbench.speed.window import Flight, system_figures

Figure = float | Unknown

NO_ANSWER = Unknown("no request brought a whole answer")
ALONE = Unknown("a round is a single request")
QUEUED = Unknown("TTFT holds the wait for other requests: one at a time is needed for the slope")
NO_POINTS = Unknown("of no request, both prompt tokens and TTFT are known")
NO_BOUNDS = Unknown("no bounds were set (--llm-goodput)")

_MEDIANS = (
    "ttft_s",
    "ttft_answer_s",
    "decode_tok_s",
    "tpot_s",
    "chunk_gap_p50_s",
    "chunk_gap_p99_s",
    "e2e_s",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "answer_tokens",
    "tokens_per_chunk",
)
_PERCENTILES = {"itl_p50_s": 0.5, "itl_p90_s": 0.9, "itl_p99_s": 0.99}
_OF_SYSTEM = ("throughput_tok_s", "decode_throughput_tok_s", "peak_tok_s", "request_rate_s")


def round_figures(
    flights: Sequence[Flight], concurrency: int | None, bounds: Bounds | None = None
) -> dict[str, Figure]:
    """Return every figure of a round under its name in `SpeedRow`.

    For each request's own figures it is the median over the whole answers; if it is unknown for one of them, then for
    the round, because the median of those that are left may be that of the fast ones.

    Args:
        flights: the requests of the round.
        concurrency: how many were meant to be in flight; None for an open loop.
        bounds: what goodput asks for; None: it was not asked for.
    """
    exchanges = [flight.exchange for flight in flights if flight.exchange is not None]
    streams = [stream_figures(exchange) for exchange in exchanges]
    found: dict[str, Figure] = {name: _over(streams, name, statistics.median) for name in _MEDIANS}
    found["ttft_p99_s"] = _over(streams, "ttft_s", _p99) if len(streams) > 1 else ALONE
    found |= _token_gaps(exchanges)
    system = system_figures(flights, concurrency)
    found |= {name: _known(getattr(system, name), system.unknown, name) for name in _OF_SYSTEM}
    found |= _goodput(flights, bounds)
    return found | (
        _prefill(streams) if concurrency == 1 else dict.fromkeys(("prefill_tok_s", "prefill_fixed_s"), QUEUED)
    )


def _known(value: float | None, unknown: Mapping[str, str], name: str) -> Figure:
    return Unknown(unknown[name]) if value is None else value


def _over(streams: Sequence[StreamFigures], name: str, summed_up: Callable[[list[float]], float]) -> Figure:
    if not streams:
        return NO_ANSWER
    values = [_known(getattr(stream, name), stream.unknown, name) for stream in streams]
    reasons = [value.reason for value in values if isinstance(value, Unknown)]
    if not reasons:
        return summed_up([value for value in values if not isinstance(value, Unknown)])
    return Unknown(reasons[0] if len(streams) == 1 else f"{len(reasons)} of {len(streams)} answers: {reasons[0]}")


def _p99(values: list[float]) -> float:
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


def _token_gaps(exchanges: Sequence[Exchange]) -> dict[str, Figure]:
    """Percentiles over the tokens of all streams; those of each stream could not be put together afterwards."""
    gaps: list[Gap] = []
    for exchange in exchanges:
        own = arrivals(exchange)
        if isinstance(own, Unknown):
            return dict.fromkeys(_PERCENTILES, own)
        gaps += token_gaps(own)
    found = dict(zip(_PERCENTILES, percentiles(gaps, tuple(_PERCENTILES.values())), strict=True))
    absent = ONE_READ if exchanges else NO_ANSWER
    return {name: absent if value is None else value for name, value in found.items()}


def _goodput(flights: Sequence[Flight], bounds: Bounds | None) -> dict[str, Figure]:
    found = NO_BOUNDS if bounds is None else goodput(flights, bounds)
    if isinstance(found, Unknown):
        return dict.fromkeys(("goodput_share", "goodput_rate_s"), found)
    left = Unknown("not all requests could be judged")
    return {"goodput_share": found.share, "goodput_rate_s": left if found.rate_s is None else found.rate_s}


def _prefill(streams: Sequence[StreamFigures]) -> dict[str, Figure]:
    points = [
        PrefillPoint(stream.prompt_tokens, stream.ttft_s, stream.cached_tokens)
        for stream in streams
        if stream.prompt_tokens is not None and stream.ttft_s is not None
    ]
    found = prefill(points) if points else NO_POINTS
    if isinstance(found, Unknown):
        return dict.fromkeys(("prefill_tok_s", "prefill_fixed_s"), found)
    return {"prefill_tok_s": found.rate_tok_s, "prefill_fixed_s": found.fixed_s}
