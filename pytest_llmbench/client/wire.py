"""What of a chunk of a chat completion is used, read from its JSON. Pure.

Servers send fields of odd types. Those who send none of them are read by a decoder that makes nothing else than these
records, at a third of the price; what it refuses is read leniently, and an odd field is then as one that is not there.
Nearly all chunks hold a piece of text and nothing else. Those have records of their own, whose types refuse whatever else
would count, so that nobody has to look for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec


class Function(msgspec.Struct, gc=False):
    """A part of a call that the model makes."""

    name: str | None = None
    arguments: str | None = None


class ToolCall(msgspec.Struct, gc=False):
    """A part of a tool call."""

    function: Function | None = None


class Delta(msgspec.Struct, gc=False):
    """What a chunk adds to the answer, or the whole answer."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCall] | None = None


class LogProbs(msgspec.Struct, gc=False):
    """One entry for each token."""

    content: list[msgspec.Raw] | None = None


class Choice(msgspec.Struct, gc=False):
    """One of the answers; only one is ever asked for."""

    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    token_ids: list[msgspec.Raw] | None = None
    logprobs: LogProbs | None = None


class Chunk(msgspec.Struct, gc=False):
    """One event of the stream, or a whole answer."""

    choices: list[Choice] | None = None
    model: str | None = None
    usage: dict[str, Any] | None = None
    timings: dict[str, Any] | None = None
    metrics: dict[str, Any] | None = None
    error: Any = None
    object: str | None = None

    @property
    def server_timings(self) -> dict[str, Any] | None:
        """The server's own figures, by whatever name it sends them."""
        return self.timings or self.metrics

    @property
    def is_error(self) -> bool:
        """Whether the server reports an error with it."""
        return bool(self.error) or self.object == "error"


class PlainDelta(msgspec.Struct, gc=False):
    """A `Delta` of text only."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: None = None


class PlainChoice(msgspec.Struct, gc=False):
    """A `Choice` that has a delta of text only."""

    delta: PlainDelta
    message: None = None
    finish_reason: None = None
    token_ids: None = None
    logprobs: None = None


class PlainChunk(msgspec.Struct, gc=False):
    """A `Chunk` that says nothing but text."""

    choices: tuple[PlainChoice]
    model: str | None = None
    usage: None = None
    timings: None = None
    metrics: None = None
    error: None = None
    object: Literal["chat.completion.chunk"] | None = None


_DECODER = msgspec.json.Decoder(Chunk)
_PLAIN_DECODER = msgspec.json.Decoder(PlainChunk)


def read_plain(values: Sequence[bytes]) -> list[PlainChunk] | None:
    """Return what these chunks say; None if any of them is not plain, and all are to be read by `read_chunk`."""
    try:
        return list(map(_PLAIN_DECODER.decode, values))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def read_chunk(data: bytes) -> Chunk:
    """Return what a chunk says.

    Raises:
        ValueError: this is no JSON; so does RecursionError.
    """
    try:
        return _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return lenient(json.loads(data.decode("utf-8", "replace")))


def lenient(found: Any) -> Chunk:
    """Return what a chunk says whose fields may be of any type; a chunk that is no object is an error."""
    if not isinstance(found, dict):
        return Chunk(error="no object")
    choices = [
        Choice(
            delta=_delta(choice.get("delta")),
            message=_delta(choice.get("message")),
            finish_reason=_string(choice.get("finish_reason")),
            token_ids=_raws(choice.get("token_ids")),
            logprobs=LogProbs(_raws(_dict(choice.get("logprobs")).get("content"))),
        )
        for choice in _dicts(found.get("choices"))
    ]
    return Chunk(
        choices=choices,
        model=_string(found.get("model")),
        usage=_dict(found.get("usage")),
        timings=_dict(found.get("timings")),
        metrics=_dict(found.get("metrics")),
        error=found.get("error"),
        object=_string(found.get("object")),
    )


def _delta(found: Any) -> Delta | None:
    if not isinstance(found, dict):
        return None
    functions = (_dict(call.get("function")) for call in _dicts(found.get("tool_calls")))
    return Delta(
        content=_text(found.get("content")),
        reasoning_content=_text(found.get("reasoning_content")),
        reasoning=_text(found.get("reasoning")),
        tool_calls=[
            ToolCall(Function(_string(each.get("name")), _string(each.get("arguments")))) for each in functions
        ],
    )


def _text(value: Any) -> str:
    """Read text that comes as a string, or as a list of parts of type text."""
    if isinstance(value, str):
        return value
    return "".join(part["text"] for part in _dicts(value) if isinstance(part.get("text"), str))


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _raws(value: Any) -> list[msgspec.Raw] | None:
    """Stand in for entries that are only counted."""
    return [msgspec.Raw()] * len(value) if isinstance(value, list) else None
