"""Connections to servers, kept for the next request."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import NamedTuple

import httpx

from pytest_llmbench.client.recorder import stamps
from pytest_llmbench.client.recorder.addresses import connect

KEEP_IDLE_S = 1.0
"""How long a connection waits for another request; many servers close theirs after 5 s, by a clock that on a busy machine
may be seconds ahead of our request's arrival."""


class Origin(NamedTuple):
    """A server."""

    host: str
    port: int


class Pool:
    """Opens connections, and keeps those that may serve again. It sets no bound: the caller says how many it needs."""

    def __init__(self) -> None:
        self._kept: dict[Origin, list[tuple[socket.socket, float]]] = {}
        self._is_closed = False

    def take_kept(self, origin: Origin) -> socket.socket | None:
        """Return a connection that may serve again, if there is one."""
        kept = self._kept.get(origin, [])
        while kept:
            connection, since_s = kept.pop()
            if time.monotonic() - since_s < KEEP_IDLE_S and _is_still(connection):
                return connection
            connection.close()
        return None

    async def open(self, origin: Origin, patience_s: float | None) -> socket.socket:
        """Return a new connection; it does not block, and its reads are stamped.

        Raises:
            httpx.ConnectTimeout: there was none within so many seconds.
            httpx.ConnectError: there can be none.
        """
        try:
            async with asyncio.timeout(patience_s):
                connection = await connect(*origin)
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be looked up
            raise httpx.ConnectError(str(error)) from error
        stamps.enable(connection)
        return connection

    def keep(self, origin: Origin, connection: socket.socket) -> None:
        """Keep a connection whose response has come whole."""
        if self._is_closed:
            connection.close()
            return
        self._kept.setdefault(origin, []).append((connection, time.monotonic()))

    def close(self) -> None:
        """Close what is kept, and keep no more."""
        self._is_closed = True
        for kept in self._kept.values():
            for connection, _ in kept:
                connection.close()
        self._kept.clear()


def _is_still(connection: socket.socket) -> bool:
    """Say whether the server has neither closed the connection nor sent what nobody asked for."""
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
