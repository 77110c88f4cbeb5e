"""The chunks of a chat completion, folded into one answer. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_llmbench.client.inline import answer_offset, visible
from pytest_llmbench.client.pieces import Pieces
from pytest_llmbench.client.tokencounts import TokenCounts, count
from pytest_llmbench.client.wire import Chunk, Delta, PlainChunk
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.completion import Exchange, Timing, Usage

_ABORTED = frozenset({"abort", "error"})
"""Finish reasons by which vLLM, SGLang and others say that the server, not the model, stopped."""


class ServerSaidError(EndpointError):
    """The server reported an error where a chunk was due. Its text is the server's own."""


class Deltas:
    """Takes chunk after chunk, each with its time; in the end it makes the `Exchange`."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.choices = 0
        self._pieces = Pieces()
        self._counts = TokenCounts()
        self._model: str | None = None
        self._usage: Mapping[str, Any] = {}
        self._timings: Mapping[str, Any] | None = None

    def take(self, chunk: Chunk, at_s: float, said: bytes = b"") -> None:
        """Fold one chunk in, or a whole answer, which has `message` in place of `delta`.

        Args:
            chunk: decoded.
            at_s: time of the read that completed it.
            said: its text, to be quoted.

        Raises:
            ServerSaidError: the chunk is an error, or no object at all.
        """
        if chunk.is_error:
            raise ServerSaidError(said.decode("utf-8", "replace"))
        # Counted whether there is text or not: what an event without text carried belongs to the next one.
        tokens = self._counts.take(chunk)
        for choice in chunk.choices or ():
            self.choices += 1
            delta = choice.message if choice.delta is None else choice.delta
            if delta is not None:
                content = delta.content or ""
                reasoning = delta.reasoning_content or delta.reasoning or ""  # both may hold the same text
                call_chars = _call_chars(delta) if delta.tool_calls else 0
                self._pieces.add(at_s, content, reasoning, call_chars, tokens)
            if choice.finish_reason:
                self._finish(choice.finish_reason)
        if chunk.model:
            self._model = chunk.model
        # Continuous usage comes with every chunk; a later null takes nothing back.
        if chunk.usage:
            self._usage = chunk.usage
        if figures := chunk.server_timings:
            self._timings = figures

    def take_plain(self, chunks: Sequence[PlainChunk], times_s: Sequence[float]) -> None:
        """Fold in several, each with its time; the same as `take` for each of them."""
        self.choices += len(chunks)
        self._pieces.add_plain(times_s, chunks)
        self._model = next((chunk.model for chunk in reversed(chunks) if chunk.model), self._model)

    def _finish(self, reason: str) -> None:
        if reason in _ABORTED:
            raise ServerSaidError(f"finish_reason {reason}")
        self.finish_reason = reason

    def exchange(self, ended_at_s: float) -> Exchange:
        """Return what all chunks together say; the reads are the caller's to add."""
        content, reasoning = self._pieces.content, self._pieces.reasoning
        timings = None if self._timings is None else json.loads(_sound(json.dumps(self._timings, ensure_ascii=False)))
        text_times_s = self._pieces.text_times_s()
        return Exchange(
            content=_sound(content),
            reasoning=_sound(reasoning) or None,
            finish_reason=None if self.finish_reason is None else _sound(self.finish_reason),
            usage=_usage(self._usage, self._timings or {}),
            timing=Timing(
                ttft_s=text_times_s[0] if text_times_s else None,
                ttft_answer_s=self._answer_began_s(content, told_apart=bool(reasoning)),
                last_token_s=text_times_s[-1] if text_times_s else None,
                e2e_s=ended_at_s,
                text_chunks=len(text_times_s),
            ),
            served_model=None if self._model is None else _sound(self._model),
            server_timings=timings,
            chunks=self._pieces.chunks(),
        )

    def _answer_began_s(self, content: str, *, told_apart: bool) -> float | None:
        # A server that tells reasoning apart leaves none in the content, and tags there are the answer's own.
        offset = visible(content) if told_apart else answer_offset(content)
        return None if offset is None else self._pieces.reached_s(offset)


def _call_chars(delta: Delta) -> int:
    functions = [call.function for call in delta.tool_calls or () if call.function is not None]
    return sum(len(function.name or "") + len(function.arguments or "") for function in functions)


def _usage(usage: Mapping[str, Any], timings: Mapping[str, Any]) -> Usage:
    cached = count(usage, "prompt_tokens_details", "cached_tokens")
    return Usage(
        prompt_tokens=count(usage, "prompt_tokens"),
        completion_tokens=count(usage, "completion_tokens"),
        reasoning_tokens=count(usage, "completion_tokens_details", "reasoning_tokens"),
        cached_tokens=count(timings, "cache_n") if cached is None else cached,
    )


def _sound(text: str) -> str:
    """Join the halves of surrogate pairs that were sent in two chunks; replace those that stayed alone.

    JSON can carry half a character, UTF-8 cannot, and the text goes to files.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
