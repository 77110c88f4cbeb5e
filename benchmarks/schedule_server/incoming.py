"""What the schedule server reads: requests of the OpenAI API, and how much of a prompt it has seen before. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from benchmarks.schedule_server.chunks import Asked
from benchmarks.schedule_server.schedule import Schedule, ScheduleError, with_options
from benchmarks.schedule_server.wording import split

BLOCK_TOKENS = 16

Replies = Mapping[str, Mapping[str, Any]]
"""Options of the schedule for prompts that are known, by their text."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    """Without the query."""
    query: Mapping[str, str]
    body: bytes


def take_request(received: bytearray) -> Request | None:
    """Remove one request from the front of what was received; None while it is not whole."""
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    request_line, *lines = received[:head_end].decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    end = head_end + 4 + int(headers.get("content-length", "0"))
    if len(received) < end:
        return None
    body = bytes(received[head_end + 4 : end])
    del received[:end]
    method, target, _ = request_line.split(" ", 2)
    parts = urlsplit(target)
    return Request(method, parts.path, dict(parse_qsl(parts.query)), body)


class PrefixCache:
    """Remembers the prompts of all requests in blocks."""

    def __init__(self) -> None:
        self._blocks: set[int] = set()

    def take(self, tokens: Sequence[str]) -> int:
        """Return how many tokens of the prompt's beginning are known, and remember all of it; the last one is never known."""
        known, is_known, block = 0, True, 0
        for begin in range(0, len(tokens) - len(tokens) % BLOCK_TOKENS, BLOCK_TOKENS):
            block = hash((block, *tokens[begin : begin + BLOCK_TOKENS]))
            is_known = is_known and block in self._blocks
            known += BLOCK_TOKENS * is_known
            self._blocks.add(block)
        return min(known, len(tokens) - 1) if tokens else 0


def check(schedule: Schedule, asked: Asked, body: Mapping[str, Any]) -> None:
    """See whether a request can be answered.

    Raises:
        ScheduleError: it is too long, or has a field that the schedule refuses.
    """
    if asked.prompt_tokens >= schedule.context_tokens:
        raise ScheduleError(
            f"the prompt has {asked.prompt_tokens} tokens, which exceeds the available context size"
            f" ({schedule.context_tokens} tokens)"
        )
    given = {*body, *(f"stream_options.{name}" for name in body.get("stream_options") or ())}
    if refused := given & set(schedule.refuse.split(",")):
        raise ScheduleError(f"extra inputs are not permitted: {', '.join(sorted(refused))}")


def prompt_text(body: Mapping[str, Any]) -> str:
    """Return the text of a prompt, of messages with calls and tools as a chat template has them, or of `content`."""
    if "messages" in body:
        tools = [json.dumps(tool) for tool in body.get("tools") or ()]
        calls = [
            [json.dumps(call.get("function")) for call in message.get("tool_calls") or ()]
            for message in body["messages"]
        ]
        contents = [_joined(message.get("content")) for message in body["messages"]]
        return "\n".join([*tools, *("".join([said, *made]) for said, made in zip(contents, calls, strict=True))])
    prompt = body.get("prompt", body.get("content", ""))
    return prompt if isinstance(prompt, str) else " ".join(map(str, prompt))


def read_replies(text: str) -> Replies:
    """Read a JSON object from the text of prompts to options of the schedule.

    Raises:
        ValueError: it is none, or names an option that there is not.
    """
    replies = json.loads(text)
    if not isinstance(replies, dict) or not all(isinstance(options, dict) for options in replies.values()):
        raise ValueError("wanted a JSON object: for the text of each prompt, an object of options")
    for options in replies.values():
        with_options(Schedule(), options)
    return replies


def read_asked(
    base: Schedule, request: Request, body: Mapping[str, Any], cache: PrefixCache, replies: Replies
) -> tuple[Schedule, Asked]:
    """Return the schedule of a request, and what it asks for.

    Raises:
        ScheduleError: it names an option or a value that cannot be.
    """
    model, prompt = str(body.get("model", "")), prompt_text(body)
    schedule = with_options(base, replies.get(prompt, {}))
    schedule = with_options(schedule, dict(parse_qsl(model.partition("?")[2])))
    schedule = with_options(schedule, request.query)
    schedule = with_options(schedule, body.get("schedule") or {})
    tokens = split(prompt)[-schedule.cut_tokens :]  # all, if that is 0
    limit = body.get("max_completion_tokens")
    return schedule, Asked(
        model=model,
        is_chat=request.path.endswith("/chat/completions"),
        is_streamed=bool(body.get("stream")),
        max_tokens=body.get("max_tokens") if limit is None else limit,
        prompt_tokens=len(tokens),
        cached_tokens=cache.take(tokens) if schedule.prefix_cache else 0,
        wants_usage=bool((body.get("stream_options") or {}).get("include_usage")),
    )


def decode_body(body: bytes) -> Mapping[str, Any]:
    """Decode the JSON object of a request.

    Raises:
        ValueError: it is none.
    """
    value = json.loads(body)
    if not isinstance(value, dict):
        raise ValueError("wanted a JSON object")  # noqa: TRY004 (the client's mistake, like all others here)
    return value


def _joined(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content or ())
