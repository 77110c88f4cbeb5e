"""A model server that has one mood: a program whose words are a mood and a port, perhaps a host."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LOADS_S = 1.0
ENDLESS_S = 3600.0
KEY = "sk-moody"


@dataclass(frozen=True, slots=True)
class Mood:
    """How it behaves."""

    health: Callable[[], int] = lambda: 200
    """Status of its health."""
    chat: Callable[[BaseHTTPRequestHandler], None] = lambda handler: stream(handler, {"content": "OK"})
    lives_s: float = ENDLESS_S
    """How long until it dies by itself."""
    needs_key: bool = False


BEGAN_S = time.monotonic()


def is_loaded() -> bool:
    """Whether it has been loading for long enough."""
    return time.monotonic() - BEGAN_S > LOADS_S


def say(text: str) -> None:
    """Print, even if the process dies at once."""
    print(text, flush=True)  # noqa: T201


def die(why: str, status: int = 3) -> None:
    """End, as engines do that find a fault."""
    say(why)
    os._exit(status)


def refuse(handler: BaseHTTPRequestHandler, status: int, message: str) -> None:
    """Answer with a status other than 200."""
    send(handler, status, "application/json", json.dumps({"error": {"message": message}}).encode())


def stream(handler: BaseHTTPRequestHandler, *deltas: Mapping[str, Any], usage: int | None = None) -> None:
    """Answer with these deltas and a finish."""
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": dict(delta)}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if usage is not None:
        chunks[-1]["usage"] = {"completion_tokens": usage}
    events(handler, *map(json.dumps, chunks), "[DONE]")


def events(handler: BaseHTTPRequestHandler, *texts: str) -> None:
    """Answer with these events."""
    send(handler, 200, "text/event-stream", "".join(f"data: {text}\n\n" for text in texts).encode())


def send(handler: BaseHTTPRequestHandler, status: int, content_type: str, body: bytes) -> None:
    """Answer with these bytes."""
    handler.send_response(status)
    handler.send_header("content-type", content_type)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
    handler.wfile.flush()


def fail_and_die(handler: BaseHTTPRequestHandler) -> None:
    """Do what vLLM does with a head size that its kernels do not take."""
    events(handler, '{"error": {"message": "EngineCore encountered an issue"}}')
    threading.Timer(0.5, die, ["ValueError: head size 16 is not supported"]).start()


def load_for_the_first_chat(handler: BaseHTTPRequestHandler) -> None:
    """Do what `transformers serve` does: take the request, load, answer."""
    while not is_loaded():
        time.sleep(0.01)
    stream(handler, {"role": "assistant", "content": ""}, {"content": "OK"})


def refuse_while_loading(handler: BaseHTTPRequestHandler) -> None:
    """Refuse until loaded."""
    if is_loaded():
        stream(handler, {"content": "OK"})
    else:
        refuse(handler, 503, "Loading model")


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Take the request and say nothing."""
    del handler
    say("hanging")
    time.sleep(ENDLESS_S)


def hang_in_health() -> int:
    """Never say how it is."""
    say("mute")
    time.sleep(ENDLESS_S)
    return 200


MOODS: Mapping[str, Mood] = {
    "well": Mood(),
    "loads": Mood(health=lambda: 200 if is_loaded() else 503),
    "loads in the first chat": Mood(chat=load_for_the_first_chat),
    "refuses while loading": Mood(chat=refuse_while_loading),
    "refuses while loading for ever": Mood(chat=lambda handler: refuse(handler, 503, "Loading model")),
    "only thinks": Mood(chat=lambda handler: stream(handler, {"reasoning_content": "Hm."})),
    "counts without text": Mood(chat=lambda handler: stream(handler, {"content": ""}, usage=8)),
    "wants a key": Mood(needs_key=True),
    "never healthy": Mood(health=lambda: 503),
    "mute": Mood(health=hang_in_health),
    "dies while loading": Mood(health=lambda: 503, lives_s=0.5),
    "dies in the first chat": Mood(chat=lambda _: die("the engine died")),
    "fails, then dies": Mood(chat=fail_and_die),
    "500": Mood(chat=lambda handler: refuse(handler, 500, "CUDA error: misaligned address")),
    "in-stream error": Mood(chat=lambda handler: events(handler, '{"error": {"message": "engine is dead"}}')),
    "says nothing": Mood(chat=lambda handler: stream(handler, {"role": "assistant", "content": ""}, usage=0)),
    "hangs": Mood(chat=hang),
    "breaks the connection": Mood(chat=lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)),
}


class Handler(BaseHTTPRequestHandler):
    """Answers in the mood of the program."""

    protocol_version = "HTTP/1.1"
    mood: Mood

    def do_GET(self) -> None:
        """Tell health or models."""
        if not self._is_let_in():
            return
        if self.path == "/health":
            send(self, self.mood.health(), "text/plain", b"")
        elif self.path == "/v1/models":
            send(self, 200, "application/json", b'{"data": [{"id": "moody-1"}, {"id": "moody-2"}]}')
        else:
            refuse(self, 404, "no such path")

    def do_POST(self) -> None:
        """Chat."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        say(f"asked: {json.dumps(asked)}")
        if self._is_let_in():
            self.mood.chat(self)

    def log_message(self, *args: object) -> None:
        """Say what uvicorn says."""
        say(f'INFO: "{self.requestline}" {args[1:]}')

    def _is_let_in(self) -> bool:
        if not self.mood.needs_key or self.headers["authorization"] == f"Bearer {KEY}":
            return True
        refuse(self, 401, "invalid API key")
        return False


def main() -> None:
    """Serve."""
    name, port, *host = sys.argv[1:]
    mood = Handler.mood = MOODS[name]
    say("loading weights")
    if mood.lives_s < ENDLESS_S:
        threading.Timer(mood.lives_s, die, ["RuntimeError: the weights are no weights"]).start()
    ThreadingHTTPServer((host[0] if host else "127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
