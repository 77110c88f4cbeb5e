"""One row of the report's `speed`: what a workload showed of an endpoint, over several rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, get_type_hints

from pytest_llmbench.model.fields import Count, Ordinal, described


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over the rounds of a workload, in the figure's own unit."""

    rounds: Annotated[Ordinal, described("rounds in which the figure is known")]
    mean: Annotated[float, described("arithmetic mean")]
    median: Annotated[float, described("half of the rounds are at or below it")]
    min: Annotated[float, described("smallest")]
    max: Annotated[float, described("largest")]
    stdev: Annotated[float | None, described("sample standard deviation; null for a single round")]
    low: Annotated[
        float | None, described("lower end of the 95 % interval of the mean (Student's t); null for one round")
    ]
    high: Annotated[float | None, described("upper end of this interval; null for one round")]


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """One workload at one concurrency and depth. Times count from the write of the request's last byte.

    A round is one pass of the workload; where it holds several requests, its figure for them is their median, and the
    percentiles of the time between tokens are taken over the tokens of all of them.
    """

    endpoint: Annotated[str, described("name of the endpoint")]
    workload: Annotated[str, described("what was asked of it")]
    concurrency: Annotated[
        Ordinal | None, described("requests in flight; null where they arrive by themselves (open loop)")
    ]
    depth_tokens: Annotated[Count, described("prompt tokens before those that the workload is about, as aimed at")]
    target_prompt_tokens: Annotated[
        Count | None, described("prompt tokens after the depth, as aimed at; null if any number")
    ]
    target_answer_tokens: Annotated[Count | None, described("tokens to be generated, as aimed at; null if any number")]
    text: Annotated[str | None, described("kind of text in the prompt; it decides how well a server can guess ahead")]
    rounds: Annotated[Count, described("rounds that were measured, warm-up not counted")]
    requests: Annotated[Count, described("requests in all rounds")]
    failed: Annotated[Count, described("of these, the ones without a whole answer")]
    transport: Annotated[
        str | None, described("what took the times: `recorder` (at the socket), `httpx`, or `mixed`")
    ] = None
    ttft_s: Annotated[
        Spread | None, described("seconds to the first read with generated text, reasoning or answer")
    ] = None
    ttft_p99_s: Annotated[Spread | None, described("the same, 99 % of the requests of a round")] = None
    ttft_answer_s: Annotated[Spread | None, described("seconds to the first text of the answer, outside reasoning")] = (
        None
    )
    decode_tok_s: Annotated[
        Spread | None, described("of one stream: tokens after the first read / seconds from the first read to the last")
    ] = None
    tpot_s: Annotated[Spread | None, described("of one stream: seconds per token, 1 / decode rate")] = None
    itl_p50_s: Annotated[
        Spread | None, described("seconds between tokens: gaps between reads, spread over the tokens of the later one")
    ] = None
    itl_p90_s: Annotated[Spread | None, described("the same, 90 % of the tokens")] = None
    itl_p99_s: Annotated[Spread | None, described("the same, 99 % of the tokens")] = None
    chunk_gap_p50_s: Annotated[
        Spread | None, described("seconds between reads with text, whatever number of tokens")
    ] = None
    chunk_gap_p99_s: Annotated[Spread | None, described("the same, 99 % of the reads")] = None
    e2e_s: Annotated[Spread | None, described("seconds to the end of the stream")] = None
    prefill_tok_s: Annotated[
        Spread | None, described("uncached prompt tokens a second: 1 / slope of TTFT over them")
    ] = None
    prefill_fixed_s: Annotated[Spread | None, described("seconds of TTFT that no prompt token accounts for")] = None
    throughput_tok_s: Annotated[
        Spread | None, described("of all streams, while that many requests were in flight; ramps left out")
    ] = None
    decode_throughput_tok_s: Annotated[
        Spread | None, described("of all streams, while that many were between first and last token")
    ] = None
    peak_tok_s: Annotated[Spread | None, described("of all streams, most tokens in any second")] = None
    request_rate_s: Annotated[Spread | None, described("whole answers a second, ramps included")] = None
    goodput_share: Annotated[Spread | None, described("requests that met all of `goodput_bounds` / all judged")] = None
    goodput_rate_s: Annotated[Spread | None, described("requests a second that met them")] = None
    prompt_tokens: Annotated[Spread | None, described("as the server counted, cached ones included")] = None
    cached_tokens: Annotated[Spread | None, described("prompt tokens from the server's prefix cache")] = None
    completion_tokens: Annotated[Spread | None, described("as the server counted, reasoning included")] = None
    reasoning_tokens: Annotated[Spread | None, described("as the server counted")] = None
    answer_tokens: Annotated[Spread | None, described("completion tokens less reasoning tokens")] = None
    tokens_per_chunk: Annotated[Spread | None, described("tokens in an event of the stream")] = None
    goodput_bounds: Annotated[
        Mapping[str, float],
        described("seconds that goodput allows a request: `ttft`, `tpot`, `itl` (99 % of its tokens), `e2e`"),
    ] = field(default_factory=dict)
    unknown: Annotated[Mapping[str, str], described("for figures that are null, why")] = field(default_factory=dict)
    marks: Annotated[
        Mapping[str, str],
        described(
            "what to know before the figures are believed, and why: `client-limited`, `degenerate`, `cached`,"
            " `short-answers`, `unsettled`, `failed-requests`"
        ),
    ] = field(default_factory=dict)


FIGURES: tuple[str, ...] = tuple(name for name, kind in get_type_hints(SpeedRow).items() if kind == Spread | None)
"""Names of the fields that hold a figure, in the order of the report."""
