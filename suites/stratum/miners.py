"""Runs outside the sandbox, in the candidate's network namespace: the miners' end of their connections, unread.

Commands, JSON, one a line; bytes travel as latin-1:
    ["port"]                               find a free port for the pool
    ["connect", name, port, stuck]         try until somebody listens; stuck: small buffers, and nothing is ever read
    ["write", name, bytes]                 queue bytes
    ["close", name, abort]                 say goodbye, or reset the connection
    ["census", port]                       how many connections does the pool's side hold?
    ["unsent", name]                       how many queued bytes did the pool not take yet?
Events to the judge:
    ["port", port] | ["connected", name] | ["data", name, bytes] | ["gone", name] | ["census", n] | ["unsent", name, n]
"""

from __future__ import annotations

import random
import selectors
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytest_llmbench.sandbox import driver

RETRY_S = 0.02
PART_BYTES = 65536
STUCK_BUFFER_BYTES = 4096
STUCK_SEGMENT_BYTES = 536
"""The pool's kernel sizes its send buffer by the segments: a small one is soon full."""
PORTS = range(10_000, 32_768)
"""Below those that Linux gives out: such a one the node could get, or a miner who tries until somebody listens there."""
HELD_STATES = ("01", "08")
"""ESTABLISHED and CLOSE_WAIT: the program still has the descriptor."""


class Connection:
    """One miner's socket."""

    def __init__(self, name: str, port: int, *, stuck: bool) -> None:
        self.name, self.stuck, self._port = name, stuck, port
        self.socket: socket.socket | None = None
        self.unsent = bytearray()
        self.try_again_s = 0.0

    def connect(self) -> bool:
        """Try once."""
        trial = socket.socket()
        if self.stuck:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STUCK_BUFFER_BYTES)
            trial.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, STUCK_SEGMENT_BYTES)
        trial.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        trial.settimeout(1.0)
        try:
            trial.connect(("127.0.0.1", self._port))
        except OSError:
            trial.close()
            self.try_again_s = time.monotonic() + RETRY_S
            return False
        trial.setblocking(False)  # noqa: FBT003 - the only way to say it
        _acknowledge_at_once(trial)
        self.socket = trial
        return True

    @property
    def interest(self) -> int:
        """What to wait for."""
        reading = 0 if self.stuck else selectors.EVENT_READ
        return reading | (selectors.EVENT_WRITE if self.unsent else 0)


class Network:
    """All connections."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(driver.DRIVER_FD, selectors.EVENT_READ)
        self._connections: dict[str, Connection] = {}
        self._waiting: list[Connection] = []

    def serve(self) -> None:
        """Go on until the judge has gone."""
        while True:
            for key, mask in self._selector.select(RETRY_S if self._waiting else None):
                if key.data is None:
                    self._obey(driver.receive())
                    while b"\n" in driver._rest:  # what came along with it makes the descriptor ready no more
                        self._obey(driver.receive())
                else:
                    self._serve(key.data, mask)
            for connection in [one for one in self._waiting if one.try_again_s <= time.monotonic()]:
                self._try(connection)

    def _obey(self, command: list[Any]) -> None:
        match command:
            case ["port"]:
                driver.send(["port", _free_port()])
            case ["connect", name, port, stuck]:
                connection = self._connections[name] = Connection(name, port, stuck=stuck)
                self._waiting.append(connection)
                self._try(connection)
            case ["write", name, text]:
                connection = self._connections[name]
                connection.unsent += text.encode("latin-1")
                self._write(connection)
            case ["close", name, abort]:
                self._close(self._connections[name], abort=abort)
            case ["census", port]:
                driver.send(["census", _held_connections(port)])
            case ["unsent", name]:
                driver.send(["unsent", name, len(self._connections[name].unsent)])

    def _try(self, connection: Connection) -> None:
        if connection.connect():
            self._waiting.remove(connection)
            if connection.interest:
                self._selector.register(_socket_of(connection), connection.interest, connection)
            driver.send(["connected", connection.name])

    def _serve(self, connection: Connection, mask: int) -> None:
        if connection.socket is None:  # closed in the same turn
            return
        if mask & selectors.EVENT_WRITE:
            self._write(connection)
        if mask & selectors.EVENT_READ and connection.socket is not None:
            try:
                data = connection.socket.recv(PART_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if data:
                _acknowledge_at_once(connection.socket)
                driver.send(["data", connection.name, data.decode("latin-1")])
            else:
                self._gone(connection)

    def _write(self, connection: Connection) -> None:
        if connection.socket is None:
            connection.unsent.clear()
            return
        try:
            while connection.unsent:
                del connection.unsent[: connection.socket.send(connection.unsent[:PART_BYTES])]
        except BlockingIOError:
            pass
        except OSError:
            # What the pool said before it closed may still lie there to be read.
            connection.unsent.clear()
            if connection.stuck:
                self._gone(connection)
                return
        self._register(connection)

    def _register(self, connection: Connection) -> None:
        known = _socket_of(connection).fileno() in self._selector.get_map()
        if not connection.interest:
            if known:
                self._selector.unregister(_socket_of(connection))
        elif known:
            self._selector.modify(_socket_of(connection), connection.interest, connection)
        else:
            self._selector.register(_socket_of(connection), connection.interest, connection)

    def _gone(self, connection: Connection) -> None:
        self._close(connection, abort=False)
        driver.send(["gone", connection.name])

    def _close(self, connection: Connection, *, abort: bool) -> None:
        if connection in self._waiting:
            self._waiting.remove(connection)
        if connection.socket is None:
            return
        if connection.socket.fileno() in self._selector.get_map():
            self._selector.unregister(connection.socket)
        if abort:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.socket.close()
        connection.socket = None
        connection.unsent.clear()


def _acknowledge_at_once(end: socket.socket) -> None:
    """Keep the kernel from its delay of 40 ms, which a pool that does not ask for TCP_NODELAY would wait for."""
    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # it forgets, so it is told after each read


def _socket_of(connection: Connection) -> socket.socket:
    assert connection.socket is not None
    return connection.socket


def _free_port() -> int:
    while True:
        port = random.choice(PORTS)  # noqa: S311 - no secret
        with socket.socket() as trial, suppress(OSError):  # without a sandbox, others have ports here, too
            trial.bind(("127.0.0.1", port))
            return port


def _held_connections(port: int) -> int:
    """Return how many sockets with this local port a program holds; one that it has closed has no inode."""
    held = 0
    for table in (path for path in map(Path, ("/proc/self/net/tcp", "/proc/self/net/tcp6")) if path.exists()):
        for line in table.read_text("ascii").splitlines()[1:]:
            fields = line.split()
            at_port = int(fields[1].rpartition(":")[2], 16) == port
            held += at_port and fields[3] in HELD_STATES and fields[9] != "0"
    return held


if __name__ == "__main__":
    Network().serve()
