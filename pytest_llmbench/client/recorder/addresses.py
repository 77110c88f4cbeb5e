"""A connection to a host by its name: the first of its addresses that answers."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Sequence
from typing import Any

HEAD_START_S = 0.25
"""How long an address is tried alone before the next one is tried beside it (RFC 8305)."""

Address = tuple[socket.AddressFamily, Any]


async def connect(host: str, port: int) -> socket.socket:
    """Return a connected socket that does not block and sends without delay.

    Raises:
        OSError: the name has no address, or none of them answers.
    """
    addresses = await _look_up(host, port)
    errors: list[OSError] = []
    trying: set[asyncio.Task[socket.socket]] = set()
    try:
        for address in addresses:
            trying.add(asyncio.create_task(_connect(address)))
            if (found := await _first(trying, errors, HEAD_START_S)) is not None:
                return found
        while trying:
            if (found := await _first(trying, errors, None)) is not None:
                return found
    finally:
        await _give_up(trying)
    raise errors[-1]


async def _look_up(host: str, port: int) -> Sequence[Address]:
    try:
        # A plain address needs no thread.
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    by_family: dict[int, list[Address]] = {}
    for family, _, _, _, address in found:
        by_family.setdefault(family, []).append((family, address))
    # Families take turns: where one of them leads nowhere, its many addresses are not all tried first.
    turns = itertools.zip_longest(*by_family.values())
    return [address for turn in turns for address in turn if address is not None]


async def _connect(address: Address) -> socket.socket:
    family, where = address
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, where)
    except BaseException:
        connection.close()
        raise
    return connection


async def _first(
    trying: set[asyncio.Task[socket.socket]], errors: list[OSError], patience_s: float | None
) -> socket.socket | None:
    """Wait for one attempt to end; return its socket if it has one."""
    ended, _ = await asyncio.wait(trying, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
    for task in ended:
        error = task.exception()
        if error is None:
            trying.discard(task)
            return task.result()
        if not isinstance(error, OSError):
            raise error
        trying.discard(task)
        errors.append(error)
    return None


async def _give_up(trying: set[asyncio.Task[socket.socket]]) -> None:
    if not trying:
        return
    for task in trying:
        task.cancel()
    ended, _ = await asyncio.wait(trying)
    for task in ended:
        if not task.cancelled() and task.exception() is None:
            task.result().close()
