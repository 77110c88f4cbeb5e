"""The transport that takes the times: plain HTTP/1.1 over sockets of its own, behind httpx's interface.

A request that carries a `Tape` is answered when all of its body has come, and the tape then holds it with its times. Any
other request is answered when the head has come, as by httpx's own transport.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx

from pytest_llmbench.client.recorder.head import Head, HeadError, request_bytes
from pytest_llmbench.client.recorder.pool import Origin, Pool
from pytest_llmbench.client.recorder.receiver import Receiver
from pytest_llmbench.client.recorder.reception import Reception
from pytest_llmbench.client.recorder.sending import send
from pytest_llmbench.client.tape import EXTENSION, UNBOUNDED, Tape

_PORT = 80
_CLOSED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""A server that has closed a connection shows in one of these; so do other faults."""


class RecorderTransport(httpx.AsyncBaseTransport):
    """Sends requests and records what comes back, all in one event loop."""

    def __init__(self) -> None:
        self._pool = Pool()
        self._receiver: Receiver | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its response; see the module for when that is."""
        payload, method = await _payload(request), request.method.encode()
        origin = Origin(request.url.raw_host.decode(), request.url.port or _PORT)
        wait_s: Mapping[str, float | None] = request.extensions.get("timeout", {})
        asked: Tape | None = request.extensions.get(EXTENSION)
        tape = Tape(UNBOUNDED) if asked is None else asked
        self._receiver = self._receiver or Receiver()
        connection = self._pool.take_kept(origin)
        was_kept = connection is not None
        while True:
            connection = connection or await self._pool.open(origin, wait_s.get("connect"))
            reception = None
            try:
                tape.sent_at_s = await send(connection, payload, wait_s.get("write"))
                reception = self._receiver.start(
                    connection, tape, method=method, is_quiet=asked is not None, idle_s=wait_s.get("read")
                )
                head = await reception.begin()
                break
            except _CLOSED:
                self._release(origin, connection, reception)
                # A POST is not repeated, unless its sender knows that this does no harm (RFC 9110, 9.2.2). Where a byte of an
                # answer has come it would: that answer is the sample, whatever became of it. But a server may close an idle
                # connection at any time (RFC 9112, 9.3.1), also when the next request is already on its way; then no byte
                # comes back, and should the request have arrived all the same, nobody has seen an answer to it.
                if not was_kept or (reception is not None and reception.has_begun):
                    raise
                connection, was_kept = None, False
            except BaseException:
                self._release(origin, connection, reception)
                raise
        stream = _Stream(reception, lambda: self._release(origin, connection, reception))
        tape.is_complete = reception.is_quiet
        if reception.is_quiet:
            await stream.aclose()  # the connection can serve again before anybody looks at the response
        return _response(head, stream)

    def _release(self, origin: Origin, connection: socket.socket, reception: Reception | None) -> None:
        if reception is not None:
            reception.stop()
        if reception is not None and reception.may_serve_again:
            self._pool.keep(origin, connection)
        else:
            connection.close()

    async def aclose(self) -> None:
        """Close all connections that no response needs."""
        self._pool.close()
        if self._receiver is not None:
            self._receiver.close()


class _Stream(httpx.AsyncByteStream):
    """The body, for those who read it by httpx's interface."""

    def __init__(self, reception: Reception, release: Callable[[], None]) -> None:
        self._reception = reception
        self._release: Callable[[], None] | None = release

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        while True:
            await self._reception.wait_for_more(seen)
            if seen == len(self._reception.tape.pieces):
                break
            for _, data in self._reception.tape.pieces[seen:]:
                seen += 1
                yield data
        if self._reception.tape.failure is not None:
            raise self._reception.tape.failure

    async def aclose(self) -> None:
        release, self._release = self._release, None
        if release is not None:
            release()


async def _payload(request: httpx.Request) -> bytes:
    if not request.url.raw_host:
        raise httpx.UnsupportedProtocol("the URL names no host")
    body = await request.aread()
    try:
        return request_bytes(request.method.encode(), request.url.raw_path, request.headers.raw, body)
    except HeadError as error:
        raise httpx.LocalProtocolError(str(error)) from error


def _response(head: Head, stream: httpx.AsyncByteStream) -> httpx.Response:
    extensions: dict[str, Any] = {"http_version": b"HTTP/1.1", "reason_phrase": head.reason}
    return httpx.Response(head.status, headers=list(head.fields), stream=stream, extensions=extensions)
