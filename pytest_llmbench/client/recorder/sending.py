"""A request's way into its socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

import httpx


async def send(connection: socket.socket, payload: bytes, patience_s: float | None) -> float:
    """Write all of it; return the time just before the write of the last byte, in seconds on the monotonic clock.

    The stamp comes before the write because the server may run, and this process may rest, before the write returns.
    A connection that broke, or a network, is no error here: perhaps the server has said why, and that is still to be read.

    Raises:
        httpx.WriteTimeout: the server did not take it within so many seconds.
    """
    sent_at_s = time.monotonic()
    with contextlib.suppress(OSError):
        try:
            written = connection.send(payload)
        except BlockingIOError:
            written = 0
        if written < len(payload):
            sent_at_s = await _send_rest(connection, memoryview(payload)[written:], patience_s)
    return sent_at_s


async def _send_rest(connection: socket.socket, rest: memoryview, patience_s: float | None) -> float:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(patience_s):
            await loop.sock_sendall(connection, rest[:-1])
            sent_at_s = time.monotonic()
            await loop.sock_sendall(connection, rest[-1:])
    except TimeoutError as error:
        raise httpx.WriteTimeout("the request was not taken in time") from error
    return sent_at_s
