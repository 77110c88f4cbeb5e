"""A server's `/metrics` page, in the text format of Prometheus, to counters that mean the same for all kinds. Pure.

vLLM, SGLang, TensorRT-LLM, TGI and llama-server put their own prefix before much the same names. Values of several
engines or models are added up. llama-server prints six digits, so from a million tokens on its counts are rounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from prometheus_client.parser import text_string_to_metric_families

_PREFIX = re.compile(r"^(?:[a-z]+:|trtllm_|tgi_)")
"""Of names that are a model server's own; a page also counts the garbage collector's runs, open files and the like."""
_NAMES: Mapping[str, tuple[str, ...]] = {
    "requests": ("request_success_total", "num_requests_total"),
    "prompt_tokens": ("prompt_tokens_total", "request_input_length_sum"),
    "cached_tokens": ("prefix_cache_hits_total", "cached_tokens_total", "prompt_tokens_cached_total"),
    "generation_tokens": ("generation_tokens_total", "tokens_predicted_total", "request_generated_tokens_sum"),
    "preemptions": ("num_preemptions_total",),
    "prompt_s": ("prompt_seconds_total", "request_prefill_time_seconds_sum"),
    "generation_s": ("tokens_predicted_seconds_total", "request_decode_time_seconds_sum"),
    "ttft_s": ("time_to_first_token_seconds_sum",),
    "ttft_count": ("time_to_first_token_seconds_count",),
    "itl_s": ("inter_token_latency_seconds_sum", "time_per_output_token_seconds_sum"),
    "itl_count": ("inter_token_latency_seconds_count", "time_per_output_token_seconds_count"),
    "queue_s": ("request_queue_time_seconds_sum", "queue_time_seconds_sum", "request_queue_duration_sum"),
    "queue_count": ("request_queue_time_seconds_count", "queue_time_seconds_count", "request_queue_duration_count"),
}
"""Counter -> its names without the prefix, newest first; of several on one page the first counts."""
_MEANS = ("ttft", "itl", "queue")


@dataclass(frozen=True, slots=True)
class Counters:
    """What a server has counted; None where it does not."""

    requests: float | None = None
    """Answered to their end."""
    prompt_tokens: float | None = None
    """vLLM and SGLang count cached ones too, llama-server does not."""
    cached_tokens: float | None = None
    """Prompt tokens that came from the prefix cache."""
    generation_tokens: float | None = None
    preemptions: float | None = None
    """Requests that were thrown out of the KV cache for others, and begun again."""
    prompt_s: float | None = None
    """Seconds with prompts, all requests added up, side by side or not."""
    generation_s: float | None = None
    """The same for the tokens after the first."""
    ttft_s: float | None = None
    """TTFT of all requests added up; `ttft_count` says of how many. The next ones likewise."""
    ttft_count: float | None = None
    itl_s: float | None = None
    itl_count: float | None = None
    queue_s: float | None = None
    queue_count: float | None = None


def read_metrics(text: str) -> Counters | None:
    """Return what a page of metrics counts; None if it is no such page."""
    found: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name, own = _PREFIX.subn("", sample.name, count=1)
                if own and math.isfinite(sample.value):
                    found[name] = found.get(name, 0.0) + sample.value
    except ValueError:
        return None
    return Counters(
        **{field: next((found[name] for name in names if name in found), None) for field, names in _NAMES.items()}
    )


def over_run(before: Counters, after: Counters) -> Counters:
    """Return what was counted between two pages of one server.

    What was not on the first page was 0: some servers show a counter only when there is something to count. What is
    lower on the second page was begun anew meanwhile.
    """
    return Counters(
        **{each.name: _grown(getattr(before, each.name), getattr(after, each.name)) for each in fields(Counters)}
    )


def together(first: Counters, second: Counters) -> Counters:
    """Add what was counted over two times that the server was up."""
    sums = {each.name: _sum(getattr(first, each.name), getattr(second, each.name)) for each in fields(Counters)}
    return Counters(**sums)


def figures(counted: Counters) -> Mapping[str, float]:
    """Return what is known, by name, for `ServerInfo.metrics`: counters as they are, and `mean_ttft_s` and the like."""
    sums = {f"{name}_{part}" for name in _MEANS for part in ("s", "count")}
    known = {each.name: getattr(counted, each.name) for each in fields(Counters) if each.name not in sums}
    means = {f"mean_{name}_s": _mean(counted, name) for name in _MEANS}
    return {name: value for name, value in (known | means).items() if value is not None}


def _grown(before: float | None, after: float | None) -> float | None:
    if after is None or before is None or after < before:
        return after
    return after - before


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None and second is None else (first or 0.0) + (second or 0.0)


def _mean(counted: Counters, name: str) -> float | None:
    total, count = getattr(counted, f"{name}_s"), getattr(counted, f"{name}_count")
    return total / count if total is not None and count else None
