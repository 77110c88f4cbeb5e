"""What the schedule server answers to each path."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks.schedule_server.incoming import (
    PrefixCache,
    Replies,
    Request,
    check,
    decode_body,
    prompt_text,
    read_asked,
)
from benchmarks.schedule_server.log import Entry, encode
from benchmarks.schedule_server.loop import Connection, Loop
from benchmarks.schedule_server.plan import Write, plan
from benchmarks.schedule_server.schedule import Schedule
from benchmarks.schedule_server.wording import prose, split, token_id

MODEL = "schedule"
BOOK_TOKENS = 50_000
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class CompletionService:
    """The API, and the log of its answers."""

    def __init__(self, base: Schedule, log_path: str | None, replies: Replies) -> None:
        self._base, self._replies = base, replies
        self._cache = PrefixCache()
        self._requests = itertools.count()
        self._ended: list[Entry] = []
        self._log = None if log_path is None else Path(log_path)
        self._logged = 0
        self._routes: dict[str, Callable[[Loop, Connection, Request], None]] = {
            "/v1/chat/completions": self._complete,
            "/v1/completions": self._complete,
            "/v1/models": self._models,
            "/tokenize": self._tokenize,
            "/health": self._health,
            "/log": self._send_log,
            "/book": self._book,
        }

    def answer(self, loop: Loop, connection: Connection, request: Request) -> None:
        """Answer one request; a mistake in it is told with status 400."""
        route = self._routes.get(request.path)
        if route is None:
            _reply(loop, connection, {"error": {"message": f"no {request.path}"}}, HTTPStatus.NOT_FOUND)
            return
        try:
            route(loop, connection, request)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            _reply(loop, connection, {"error": {"message": str(error)}}, HTTPStatus.BAD_REQUEST)

    def ended(self, entry: Entry) -> None:
        """Keep an answer for the log."""
        self._ended.append(entry)

    def idle(self) -> None:
        """Write the log."""
        if self._log is not None and self._logged < len(self._ended):
            with self._log.open("ab") as log:
                log.write(b"".join(map(encode, self._ended[self._logged :])))
            self._logged = len(self._ended)

    def _complete(self, loop: Loop, connection: Connection, request: Request) -> None:
        read_s = monotonic()
        body = decode_body(request.body)
        schedule, asked = read_asked(self._base, request, body, self._cache, self._replies)
        check(schedule, asked, body)
        answer = plan(schedule, asked)
        entry = Entry(
            request=next(self._requests),
            connection=connection.number,
            path=request.path,
            model=asked.model,
            user=body.get("user"),
            arrived_s=connection.arrived_s,
            read_s=read_s,
            schedule=asdict(schedule),
            prompt_tokens=asked.prompt_tokens,
            cached_tokens=asked.cached_tokens,
            completion_tokens=answer.completion_tokens,
            reasoning_tokens=answer.reasoning_tokens,
            finish_reason=answer.finish_reason,
            first_due_s=connection.arrived_s + answer.first_s,
            bound_tok_s=schedule.bound_tok_s,
            thrash_s=schedule.thrash_us / 1e6,
            catch_up=schedule.catch_up,
        )
        loop.begin(connection, entry, _with_head(answer.writes, is_streamed=asked.is_streamed))

    def _models(self, loop: Loop, connection: Connection, _: Request) -> None:
        model = {
            "id": MODEL,
            "object": "model",
            "created": 0,
            "owned_by": MODEL,
            "max_model_len": self._base.context_tokens,
        }
        _reply(loop, connection, {"object": "list", "data": [model]})

    def _tokenize(self, loop: Loop, connection: Connection, request: Request) -> None:
        tokens = [token_id(token) for token in split(prompt_text(decode_body(request.body)))]
        _reply(loop, connection, {"count": len(tokens), "max_model_len": self._base.context_tokens, "tokens": tokens})

    def _health(self, loop: Loop, connection: Connection, _: Request) -> None:
        _reply(loop, connection, {"status": "ok"})

    def _book(self, loop: Loop, connection: Connection, _: Request) -> None:
        text = "".join(prose(BOOK_TOKENS)).encode()
        loop.send(connection, _head(HTTPStatus.OK, "text/plain; charset=utf-8", text) + text)

    def _send_log(self, loop: Loop, connection: Connection, request: Request) -> None:
        lines = b"".join(map(encode, self._ended[int(request.query.get("since", "0")) :]))
        loop.send(connection, _head(HTTPStatus.OK, "application/jsonl", lines) + lines)


def _reply(loop: Loop, connection: Connection, value: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
    body = json.dumps(value).encode()
    loop.send(connection, _head(status, "application/json", body) + body)


def _head(status: HTTPStatus, kind: str, body: bytes) -> bytes:
    line = f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    return line.encode()


def _with_head(writes: tuple[Write, ...], *, is_streamed: bool) -> tuple[Write, ...]:
    first = writes[0]
    head = _STREAM_HEAD if is_streamed else _head(HTTPStatus.OK, "application/json", first.data)
    return (first._replace(data=head + first.data), *writes[1:])
