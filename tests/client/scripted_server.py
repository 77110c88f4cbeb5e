"""A model server on a real socket that does what its script says, wrong things above all.

    with ScriptedServer(streamed("The answer.")) as server:
        ...  # ask server.url; then look at server.requests and server.writes

A script is one `Reply` for every request, a sequence of replies (the last one repeats), or a function of the `Request`.
It runs in threads of its own, so the client may be another process. GET /v1/models is answered from `models`.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from http import HTTPStatus
from types import TracebackType
from typing import Any, Literal, Self

SSE = "text/event-stream"
MODEL = "scripted"
PROMPT_TOKENS = 7
"""What every `streamed` reply gives as its prompt's length."""


class Framing(Enum):
    """How the end of the body is told."""

    CHUNKED = auto()
    LENGTH = auto()
    UNTIL_CLOSE = auto()


class End(Enum):
    """What happens after the last piece."""

    WHOLE = auto()
    """The body ends as its framing demands."""
    CUT = auto()
    """The connection is closed, the body has no end."""
    RESET = auto()
    """The connection is reset."""
    HOLD = auto()
    """The body has no end, and the connection stays open until the client leaves."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to one request."""

    pieces: tuple[bytes, ...] = ()
    """The body; each piece is one write to the socket."""
    status: int | None = 200
    """None: not even a response head is sent."""
    content_type: str | None = SSE
    headers: Mapping[str, str] = field(default_factory=dict)
    framing: Framing = Framing.CHUNKED
    end: End = End.WHOLE
    pause_s: float = 0.0
    """Before each piece."""


@dataclass(frozen=True, slots=True)
class Request:
    """A chat completion that was asked for."""

    path: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: Any
    """The decoded JSON."""
    arrived_at_s: float
    """On the monotonic clock, when its last byte had been read."""


@dataclass(frozen=True, slots=True)
class Write:
    """One piece of a body."""

    request: int
    """Index in `ScriptedServer.requests`."""
    at_s: float
    """On the monotonic clock, just before it was handed to the socket."""
    piece: bytes


Script = Reply | Sequence[Reply] | Callable[[Request], Reply]

SILENCE = Reply(status=None, end=End.HOLD)
"""Takes the request and says nothing."""
RESET = Reply(status=None, end=End.RESET)
"""Takes the request and resets the connection."""
HANGUP = Reply(status=None, end=End.CUT)
"""Takes the request and closes the connection."""


def refusal(status: int, body: bytes | Mapping[str, Any] = b"", **headers: str) -> Reply:
    """Answer with an error status; a mapping is sent as JSON. `retry_after="1"` becomes `Retry-After: 1`."""
    as_json = isinstance(body, Mapping)
    return Reply(
        pieces=(json.dumps(body).encode() if isinstance(body, Mapping) else body,),
        status=status,
        content_type="application/json" if as_json else "text/html",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        framing=Framing.LENGTH,
    )


def page(body: bytes = b"<!doctype html><title>Welcome</title>", content_type: str = "text/html") -> Reply:
    """Answer with something that is no event stream."""
    return Reply(pieces=(body,), content_type=content_type, framing=Framing.LENGTH)


def event(value: Any, newline: str = "\n") -> bytes:
    """Encode one event; text is sent as it is, all else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"data: {text}{newline}{newline}".encode()


def chunk(delta: Mapping[str, Any] | None, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    """Make one chunk; without a delta it has no choices."""
    choices = [] if delta is None else [{"index": 0, "delta": dict(delta), "finish_reason": finish_reason}]
    return {"id": "c-1", "object": "chat.completion.chunk", "model": MODEL, "choices": choices} | more


def tokens(text: str) -> list[str]:
    """Split a text into what the scripted model calls tokens: words with the space after them."""
    return re.findall(r"\S+\s*|\s+", text)


def streamed(  # noqa: PLR0913 (each argument is a way in which servers differ)
    answer: str = "",
    *,
    reasoning: str = "",
    reasoning_fields: Sequence[str] = ("reasoning_content",),
    tokens_per_chunk: int = 1,
    role_chunk: bool = True,
    usage: Literal["own", "finish", "continuous", "null", "none"] = "own",
    finish_reason: str | None = "stop",
    done: bool = True,
    ping: bool = False,
    newline: str = "\n",
    last: Mapping[str, Any] | None = None,
    **how: Any,
) -> Reply:
    """Stream reasoning, then the answer, as well-behaved servers do.

    Args:
        answer: `delta.content`.
        reasoning: comes before it.
        reasoning_fields: names of the field, or fields, in which it is sent.
        tokens_per_chunk: of `tokens`.
        role_chunk: whether a chunk with the role and an empty content comes first.
        usage: on its own chunk without choices, on the finish chunk, on every chunk, as null on every chunk, or nowhere.
        finish_reason: None leaves the finish chunk out.
        done: whether `[DONE]` ends the stream.
        ping: whether a comment precedes every event.
        newline: ends every line.
        last: further fields of the last chunk, such as `timings`.
        how: further fields of the `Reply`.
    """
    thought, said = ([dict.fromkeys(fields, text) for text in _joined(source, tokens_per_chunk)]
                     for source, fields in ((reasoning, reasoning_fields), (answer, ("content",))))  # fmt: skip
    chunks = [chunk({"role": "assistant", "content": ""})] if role_chunk else []
    chunks += [chunk(delta) for delta in (*thought, *said)]
    if finish_reason is not None:
        chunks.append(chunk({}, finish_reason))
    count = {
        "prompt_tokens": PROMPT_TOKENS,
        "completion_tokens": len(tokens(reasoning)) + len(tokens(answer)),
        "completion_tokens_details": {"reasoning_tokens": len(tokens(reasoning))},
        "prompt_tokens_details": {"cached_tokens": 2},
    }
    if usage == "own":
        chunks.append(chunk(None, usage=count))
    elif usage == "finish":
        chunks[-1]["usage"] = count
    elif usage == "continuous":
        for number, each in enumerate(chunks):
            each["usage"] = count | {"completion_tokens": min(number, count["completion_tokens"])}  # type: ignore[call-overload]
        chunks[-1]["usage"] = count
    elif usage == "null":
        for each in chunks:
            each["usage"] = None
    chunks[-1].update(last or {})
    events = [event(each, newline) for each in chunks] + ([event("[DONE]", newline)] if done else [])
    return Reply(pieces=tuple(f": ping{newline}{newline}".encode() + each if ping else each for each in events), **how)


def _joined(text: str, per_chunk: int) -> list[str]:
    parts = tokens(text)
    return ["".join(parts[at : at + per_chunk]) for at in range(0, len(parts), per_chunk)]


def answered(answer: str, *, finish_reason: str = "stop", **more: Any) -> Reply:
    """Answer in one piece of JSON, as a server that ignores `stream` does."""
    choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": finish_reason}
    usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": len(tokens(answer))}
    body = {"object": "chat.completion", "model": MODEL, "choices": [choice], "usage": usage} | more
    return page(json.dumps(body).encode(), "application/json")


@contextlib.contextmanager
def refusing_url() -> Iterator[str]:
    """Give a base URL at which connections are refused: the port is taken, but nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"


class ScriptedServer:
    """Serves a script on a loopback port from entering to leaving the context."""

    def __init__(self, script: Script, *, models: Sequence[str] = (MODEL,), models_reply: Reply | None = None) -> None:
        self.requests: list[Request] = []
        """Chat completions asked for, in order of arrival."""
        self.writes: list[Write] = []
        self.lookups: list[Mapping[str, str]] = []
        """Headers of each GET /v1/models."""
        listing = json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in models]})
        self._models_reply = models_reply or page(listing.encode(), "application/json")
        self._script = script
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"
        """Base URL; connections wait for `__enter__`."""

    def wait_for_requests(self, count: int, timeout_s: float = 120.0) -> None:
        """Wait until so many chat completions have been asked for."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, timeout_s), "no such request came"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept; closing alone would not
        with self._changed:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                self._connections.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            pending = b""
            while not self._stopping.is_set():
                while b"\r\n\r\n" not in pending:
                    if not (data := connection.recv(65536)):
                        return
                    pending += data
                head, _, pending = pending.partition(b"\r\n\r\n")
                request_line, *lines = head.decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                size = int(headers.get("content-length", "0"))
                while len(pending) < size:
                    if not (data := connection.recv(65536)):
                        return
                    pending += data
                body, pending = pending[:size], pending[size:]
                method, path, _ = request_line.split(" ", 2)
                if not self._answer(connection, method, path, headers, body):
                    return
        with self._changed:
            self._connections.discard(connection)

    def _answer(
        self, connection: socket.socket, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> bool:
        """Answer one request; return whether the connection may serve another."""
        if (method, path) == ("GET", "/v1/models"):
            self.lookups.append(headers)
            return self._send(connection, self._models_reply, None)
        if (method, path) != ("POST", "/v1/chat/completions"):
            return self._send(connection, refusal(404, {"detail": "Not Found"}), None)
        request = Request(path, headers, json.loads(body), time.monotonic())
        with self._changed:
            number = len(self.requests)
            self.requests.append(request)
            self._changed.notify_all()
        return self._send(connection, self._reply_to(number, request), number)

    def _reply_to(self, number: int, request: Request) -> Reply:
        if isinstance(self._script, Reply):
            return self._script
        if callable(self._script):
            return self._script(request)
        return self._script[min(number, len(self._script) - 1)]

    def _send(self, connection: socket.socket, reply: Reply, number: int | None) -> bool:
        if reply.status is not None:
            connection.sendall(_head(reply))
        for piece in reply.pieces:
            if reply.pause_s and self._stopping.wait(reply.pause_s):
                return False
            if number is not None:
                self.writes.append(Write(number, time.monotonic(), piece))
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if reply.framing is Framing.CHUNKED else piece)
        if reply.end is End.HOLD:
            connection.recv(1)  # returns when the client leaves, or when `__exit__` shuts the socket down
        elif reply.end is End.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif reply.end is End.WHOLE and reply.framing is Framing.CHUNKED:
            connection.sendall(b"0\r\n\r\n")
        return reply.end is End.WHOLE and reply.framing is not Framing.UNTIL_CLOSE


def _head(reply: Reply) -> bytes:
    headers = dict(reply.headers)
    if reply.content_type is not None:
        headers["content-type"] = reply.content_type
    if reply.framing is Framing.CHUNKED:
        headers["transfer-encoding"] = "chunked"
    elif reply.framing is Framing.LENGTH:
        headers["content-length"] = str(sum(len(piece) for piece in reply.pieces))
    else:
        headers["connection"] = "close"
    assert reply.status is not None
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def cut(reply: Reply, keep: int, end: End = End.CUT) -> Reply:
    """End a reply after so many pieces."""
    return replace(reply, pieces=reply.pieces[:keep], end=end)
