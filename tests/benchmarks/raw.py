"""Asks the schedule server over a plain socket, and reads its events without any client of ours."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any

from benchmarks.schedule_server import Server

CHAT = "/v1/chat/completions"


def ask(server: Server, path: str = CHAT, **body: Any) -> tuple[int, bytes]:
    """POST a body; return status and body of the response."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("POST", path, json.dumps(body))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def chat(server: Server, path: str = CHAT, **body: Any) -> list[Mapping[str, Any]]:
    """Ask for a stream with usage; return its chunks."""
    asked = {
        "model": "m",
        "messages": [{"role": "user", "content": "two words"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    status, stream = ask(server, path, **asked | body)
    assert status == 200
    return chunks(stream)


def chunks(stream: bytes) -> list[Mapping[str, Any]]:
    """Decode all events but `[DONE]`, which must be the last one; comments are passed over."""
    events = [event for event in stream.split(b"\n\n") if event and not event.startswith(b":")]
    assert events.pop() == b"data: [DONE]"
    return [json.loads(event.removeprefix(b"data: ")) for event in events]


def deltas(found: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the deltas of all chunks that have one."""
    return [choice["delta"] for chunk in found for choice in chunk["choices"]]


def text(found: list[Mapping[str, Any]], name: str = "content") -> str:
    """Join one field of all deltas."""
    return "".join(delta.get(name) or "" for delta in deltas(found))
