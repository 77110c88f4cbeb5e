"""The chunks of a chat completion, folded into one answer. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pytest_llmbench.client.inline import answer_offset, visible
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.completion import Exchange, Timing, Usage

_REASONING_FIELDS = ("reasoning_content", "reasoning")
"""Some servers send both with the same text: the first one that holds any counts."""

_ABORTED = frozenset({"abort", "error"})
"""Finish reasons by which vLLM, SGLang and others say that the server, not the model, stopped."""

_MAX_COUNT = 2**53


class ServerSaidError(EndpointError):
    """The server reported an error where a chunk was due. Its text is the server's own."""


class Deltas:
    """Takes chunk after chunk, each with its time; in the end it makes the `Exchange`."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self.choices = 0
        self._content: list[tuple[float, str]] = []
        self._reasoning: list[tuple[float, str]] = []
        self._text_times_s: list[float] = []
        self._model: str | None = None
        self._usage: Mapping[str, Any] = {}
        self._timings: Mapping[str, Any] | None = None

    def take(self, chunk: Any, at_s: float) -> None:
        """Fold one decoded chunk in, or a whole answer, which has `message` in place of `delta`.

        Raises:
            ServerSaidError: the chunk is an error, or no object at all.
        """
        if not isinstance(chunk, dict) or chunk.get("error") or chunk.get("object") == "error":
            raise ServerSaidError(json.dumps(chunk))
        for choice in _dicts(chunk.get("choices")):
            self._choice(choice, at_s)
        if chunk.get("model") and isinstance(chunk["model"], str):
            self._model = chunk["model"]
        # Continuous usage comes with every chunk; a later null takes nothing back.
        if chunk.get("usage") and isinstance(chunk["usage"], dict):
            self._usage = chunk["usage"]
        if chunk.get("timings") and isinstance(chunk["timings"], dict):
            self._timings = chunk["timings"]

    def _choice(self, choice: Mapping[str, Any], at_s: float) -> None:
        self.choices += 1
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            content = _text(delta.get("content"))
            reasoning = next(filter(None, (_text(delta.get(name)) for name in _REASONING_FIELDS)), "")
            if content:
                self._content.append((at_s, content))
            if reasoning:
                self._reasoning.append((at_s, reasoning))
            if content or reasoning:
                self._text_times_s.append(at_s)
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            if reason in _ABORTED:
                raise ServerSaidError(f"finish_reason {reason}")
            self.finish_reason = reason

    def exchange(self, ended_at_s: float) -> Exchange:
        """Return what all chunks together say; the reads are the caller's to add."""
        content, reasoning = ("".join(text for _, text in pieces) for pieces in (self._content, self._reasoning))
        timings = None if self._timings is None else json.loads(_sound(json.dumps(self._timings, ensure_ascii=False)))
        return Exchange(
            content=_sound(content),
            reasoning=_sound(reasoning) or None,
            finish_reason=None if self.finish_reason is None else _sound(self.finish_reason),
            usage=_usage(self._usage, self._timings or {}),
            timing=Timing(
                ttft_s=self._text_times_s[0] if self._text_times_s else None,
                ttft_answer_s=self._answer_began_s(content),
                last_token_s=self._text_times_s[-1] if self._text_times_s else None,
                e2e_s=ended_at_s,
                text_chunks=len(self._text_times_s),
            ),
            served_model=None if self._model is None else _sound(self._model),
            server_timings=timings,
        )

    def _answer_began_s(self, content: str) -> float | None:
        # A server that tells reasoning apart leaves none in the content, and tags there are the answer's own.
        offset = visible(content) if self._reasoning else answer_offset(content)
        if offset is None:
            return None
        seen = 0
        for at_s, text in self._content:
            seen += len(text)
            if offset < seen:
                return at_s
        return None


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    """Read text that comes as a string, or as a list of parts of type text."""
    if isinstance(value, str):
        return value
    return "".join(part["text"] for part in _dicts(value) if isinstance(part.get("text"), str))


def _usage(usage: Mapping[str, Any], timings: Mapping[str, Any]) -> Usage:
    cached = _count(usage, "prompt_tokens_details", "cached_tokens")
    return Usage(
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        reasoning_tokens=_count(usage, "completion_tokens_details", "reasoning_tokens"),
        cached_tokens=_count(timings, "cache_n") if cached is None else cached,
    )


def _count(found: Any, *path: str) -> int | None:
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    plain = isinstance(found, int) and not isinstance(found, bool)
    return found if plain and 0 <= found < _MAX_COUNT else None


def _sound(text: str) -> str:
    """Join the halves of surrogate pairs that were sent in two chunks; replace those that stayed alone.

    JSON can carry half a character, UTF-8 cannot, and the text goes to files.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
