"""The JSON of one answer, as OpenAI-compatible servers send it: in chunks, or whole. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.schedule_server.schedule import Schedule
from benchmarks.schedule_server.wording import loop, prose, split, token_id

DEFAULT_TOKENS = 256

_REASONING_FIELDS: Mapping[str, tuple[str, ...]] = {
    "reasoning_content": ("reasoning_content",),
    "reasoning": ("reasoning",),
    "both": ("reasoning_content", "reasoning"),
}
_TEXTS = {"prose": prose, "loop": loop}


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request decides its answer."""

    model: str
    is_chat: bool
    """Whether it came to /v1/chat/completions."""
    is_streamed: bool
    max_tokens: int | None
    prompt_tokens: int
    cached_tokens: int
    """Prompt tokens that were taken from the server's prefix cache."""
    wants_usage: bool
    """Whether `stream_options.include_usage` was set."""


class Answer:
    """One answer: its tokens, and the JSON that carries them."""

    def __init__(self, schedule: Schedule, asked: Asked) -> None:
        self._schedule, self._asked = schedule, asked
        wanted = DEFAULT_TOKENS if asked.max_tokens is None else asked.max_tokens
        if schedule.answer:
            own: Sequence[str] = split(schedule.answer)
        else:
            own = _TEXTS[schedule.text](wanted if schedule.tokens is None else schedule.tokens)
        self.tokens = own if asked.max_tokens is None else own[: asked.max_tokens]
        self.reasoning_tokens = min(schedule.reasoning, len(self.tokens))
        is_cut = asked.max_tokens is not None and len(own) >= asked.max_tokens
        ended = "tool_calls" if schedule.tool_call else "stop"
        self.finish_reason = schedule.finish_reason or ("length" if is_cut else ended)

    def role(self) -> bytes:
        """Return the chunk that only says who speaks; nothing where the API has none."""
        return self._event({"role": "assistant", "content": ""}) if self._asked.is_chat else b""

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Yield the chunks that carry text, each with the number of its tokens."""
        size, sent = self._schedule.tokens_per_chunk, 0
        for kind, tokens in self._parts():
            for begin in range(0, len(tokens), size):
                piece = tokens[begin : begin + size]
                sent += len(piece)
                delta = self._delta(kind, "".join(piece), is_first=not begin, is_last=begin + size >= len(tokens))
                yield len(piece), self._event(delta, tokens=piece, sent=sent)

    def tail(self) -> bytes:
        """Return what ends the stream: the finish reason, the usage, `[DONE]`."""
        sent = len(self.tokens)
        end = self._event({}, finish_reason=self.finish_reason, sent=sent)
        if self._schedule.usage == "own" and self._asked.wants_usage:
            end += _event(self._frame([]) | {"usage": self._usage(sent)})
        return end + (b"data: [DONE]\n\n" if self._schedule.done else b"")

    def whole(self) -> bytes:
        """Return the JSON of an answer that is not streamed."""
        choice: dict[str, Any] = {"index": 0, "finish_reason": self.finish_reason}
        if self._asked.is_chat:
            choice["message"] = {"role": "assistant", "content": None}
            for kind, tokens in self._parts():
                choice["message"] |= self._delta(kind, "".join(tokens), is_first=True, is_last=True)
        else:
            choice["text"] = "".join(self.tokens)
        usage = {} if self._schedule.usage == "none" else {"usage": self._usage(len(self.tokens))}
        return json.dumps(self._frame([choice], is_chunk=False) | usage).encode()

    def _parts(self) -> Iterator[tuple[str, Sequence[str]]]:
        kind, thought = "tool_call" if self._schedule.tool_call else "content", self.reasoning_tokens
        return ((k, t) for k, t in (("reasoning", self.tokens[:thought]), (kind, self.tokens[thought:])) if t)

    def _delta(self, kind: str, text: str, *, is_first: bool, is_last: bool) -> dict[str, Any]:
        if kind == "reasoning":
            return dict.fromkeys(_REASONING_FIELDS[self._schedule.reasoning_field], text)
        if kind == "content":
            return {"content": text}
        function = {"arguments": ('{"text":"' if is_first else "") + text + ('"}' if is_last else "")}
        if not is_first:
            return {"tool_calls": [{"index": 0, "function": function}]}
        named = {"name": "write_file", **function}
        return {"tool_calls": [{"index": 0, "id": "call-0", "type": "function", "function": named}]}

    def _event(
        self,
        delta: Mapping[str, Any],
        *,
        tokens: Sequence[str] = (),
        finish_reason: str | None = None,
        sent: int = 0,
    ) -> bytes:
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish_reason}
        choice |= {"delta": delta} if self._asked.is_chat else {"text": "".join(tokens)}
        if self._schedule.token_ids and tokens:
            choice["token_ids"] = [token_id(token) for token in tokens]
        chunk = self._frame([choice])
        if self._schedule.usage == "continuous" or (self._schedule.usage == "finish" and finish_reason):
            chunk["usage"] = self._usage(sent)
        return _event(chunk)

    def _frame(self, choices: list[dict[str, Any]], *, is_chunk: bool = True) -> dict[str, Any]:
        of_chat = "chat.completion.chunk" if is_chunk else "chat.completion"
        kind = of_chat if self._asked.is_chat else "text_completion"
        return {"id": "s-0", "object": kind, "created": 0, "model": self._asked.model, "choices": choices}

    def _usage(self, sent: int) -> dict[str, Any]:
        prompt = self._asked.prompt_tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": sent,
            "total_tokens": prompt + sent,
            "prompt_tokens_details": {"cached_tokens": self._asked.cached_tokens},
            "completion_tokens_details": {"reasoning_tokens": min(sent, self.reasoning_tokens)},
        }


def _event(value: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"
