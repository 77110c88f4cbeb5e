"""What a server says of one answer, in the client's terms, and how far the client's figures are from it. Pure.

Two servers send figures with an answer:

- llama-server, `timings`: its clock of the prompt runs from when it takes the prompt up to the first token, that of the
  answer from there to the last token. Its own rates count differently in each version, so only times and counts are used.
- vLLM with `--enable-per-request-metrics`, `metrics`: TTFT runs from when the request was scheduled, the wait in the
  queue stands apart, and `mean_itl_ms` is the time from the first token to the last over the tokens after the first.

So both leave out what the client's TTFT has in it: network, chat template, tokeniser, tokens without text at the start,
and, in llama-server, the wait for a free slot. A difference in TTFT is these; one in the decode rate should be none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pytest_llmbench.model.completion import Exchange, Usage
from pytest_llmbench.model.fields import described


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """The server's own figures of one answer; null where it does not tell."""

    ttft_s: Annotated[
        float | None, described("seconds from when the server began with the prompt to the first token")
    ] = None
    queue_s: Annotated[float | None, described("seconds that the request waited in the server before that")] = None
    prefill_tok_s: Annotated[float | None, described("prompt tokens that came from no cache / ttft_s")] = None
    decode_tok_s: Annotated[
        float | None, described("tokens after the first / seconds from the first token to the last")
    ] = None
    ttft_difference: Annotated[
        float | None,
        described("the client's TTFT / (queue_s, where told, + ttft_s) - 1: network and the like are in it"),
    ] = None
    decode_difference: Annotated[float | None, described("the client's decode_tok_s / the server's - 1")] = None


def own_figures(exchange: Exchange) -> ServerFigures | None:
    """Return what the server says of this answer, nothing compared yet; None if it says nothing that we know."""
    sent = exchange.server_timings or {}
    read = next((reader for field, reader in _READERS.items() if field in sent), None)
    if read is None:
        return None
    found = read(sent, exchange.usage)
    return None if found == ServerFigures() else found


def beside(figures: ServerFigures, *, ttft_s: float | None, decode_tok_s: float | None) -> ServerFigures:
    """Return the server's figures with the client's differences from them.

    Args:
        figures: as `own_figures` returns them.
        ttft_s: the client's.
        decode_tok_s: the client's.
    """
    server_s = None if figures.ttft_s is None else figures.ttft_s + (figures.queue_s or 0.0)
    return replace(
        figures,
        ttft_difference=_difference(ttft_s, server_s),
        decode_difference=_difference(decode_tok_s, figures.decode_tok_s),
    )


def _of_llama_server(timings: Mapping[str, Any], _: Usage) -> ServerFigures:
    prompt_ms, predicted_ms = _number(timings, "prompt_ms"), _number(timings, "predicted_ms")
    return ServerFigures(
        ttft_s=_seconds(prompt_ms or None),  # 0 until the prompt has been processed
        prefill_tok_s=_rate(_number(timings, "prompt_n"), prompt_ms),
        decode_tok_s=_rate(_after_the_first(_number(timings, "predicted_n")), predicted_ms),
    )


def _of_vllm(metrics: Mapping[str, Any], usage: Usage) -> ServerFigures:
    ttft_ms, itl_ms = _number(metrics, "time_to_first_token_ms"), _number(metrics, "mean_itl_ms")
    decoded = _rate(_after_the_first(usage.completion_tokens), _number(metrics, "generation_time_ms"))
    # Without a word about the prefix cache, which is on by default, nobody knows how many tokens the time was for.
    known = usage.prompt_tokens is not None and usage.cached_tokens is not None
    return ServerFigures(
        ttft_s=_seconds(ttft_ms),
        queue_s=_seconds(_number(metrics, "queue_time_ms")),
        prefill_tok_s=_rate((usage.prompt_tokens or 0) - (usage.cached_tokens or 0), ttft_ms) if known else None,
        decode_tok_s=_rate(1, itl_ms) or decoded,
    )


_ABSURD = 2.0**53
_Reader = Callable[[Mapping[str, Any], Usage], ServerFigures]
_READERS: Mapping[str, _Reader] = {
    "predicted_ms": _of_llama_server,
    "time_to_first_token_ms": _of_vllm,
    "generation_time_ms": _of_vllm,
}
"""By a field that nobody else sends."""


def _number(sent: Mapping[str, Any], name: str) -> float | None:
    value = sent.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value < _ABSURD else None


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _after_the_first(tokens: float | None) -> float | None:
    return None if tokens is None else max(0, tokens - 1)


def _rate(tokens: float | None, milliseconds: float | None) -> float | None:
    """Return tokens per second; None where nothing was made, or in no time."""
    return tokens / milliseconds * 1000 if tokens and tokens > 0 and milliseconds else None


def _difference(client: float | None, server: float | None) -> float | None:
    return client / server - 1 if client is not None and server else None
