"""Runs beside the sandbox, in its network namespace: serves the miner's API on the ports that the judge names.

Commands are `[PORTS, RESULTS]`: the ports to serve from now on, and method -> result, or null to accept and never
answer. Each is answered by the ports that somebody else has taken, and by how often the miner's figures were asked for
since the last command.
"""

from __future__ import annotations

import json
import selectors
import socket
from contextlib import suppress
from typing import Any

from pytest_llmbench.sandbox import driver

HOST = "127.0.0.1"
MAX_CONNECTIONS = 200
MAX_LINE_BYTES = 64 * 1024
READ_BYTES = 4096
"""A request has about 60; who sends thousands at once must not keep the judge waiting."""
NO_SUCH_METHOD = {"code": -32601, "message": "Method not found"}
NOT_UNDERSTOOD = {"code": -32700, "message": "Parse error"}


class Api:
    """The API's server; one thread does it all."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(driver.DRIVER_FD, selectors.EVENT_READ, None)
        self._open: dict[socket.socket, bytes] = {}
        self._listening: list[socket.socket] = []
        self._results: dict[str, Any] | None = None
        self._asked = 0

    def serve(self) -> None:
        """Serve until the judge has gone."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == driver.DRIVER_FD:
                    self._change(*driver.receive())
                elif key.data == "listening":
                    self._accept(key.fileobj)  # type: ignore[arg-type] # only sockets are registered besides
                elif key.fileobj in self._open:
                    self._read(key.fileobj)

    def _change(self, ports: list[int], results: dict[str, Any] | None) -> None:
        for connection in [*self._open, *self._listening]:
            self._close(connection)
        self._listening.clear()
        self._results = results
        taken = [port for port in ports if not self._listen(port)]
        driver.send({"taken": taken, "asked": self._asked})
        self._asked = 0

    def _listen(self, port: int) -> bool:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(MAX_CONNECTIONS)
        except OSError:
            listener.close()
            return False
        listener.setblocking(False)  # noqa: FBT003 - the only way to say it
        self._listening.append(listener)
        self._selector.register(listener, selectors.EVENT_READ, "listening")
        return True

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            connection.setblocking(False)  # noqa: FBT003 - as above; who asks and does not read is cut off
            if len(self._open) >= MAX_CONNECTIONS:
                self._close(next(iter(self._open)))
            self._open[connection] = b""
            self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(READ_BYTES)
            *lines, rest = (self._open[connection] + data).split(b"\n")
            results = self._results
            for line in lines if results is not None else ():
                answer = _answer(line, results or {})
                self._asked += isinstance(answer.get("result"), list | dict)
                connection.sendall(json.dumps(answer).encode() + b"\n")
        except OSError:
            data = rest = b""
        if not data or len(rest) > MAX_LINE_BYTES:
            self._close(connection)
        else:
            self._open[connection] = rest

    def _close(self, connection: socket.socket) -> None:
        self._open.pop(connection, None)
        self._selector.unregister(connection)
        connection.close()


def _answer(line: bytes, results: dict[str, Any]) -> dict[str, Any]:
    try:
        request = json.loads(line)
        number, method = request.get("id"), request.get("method")
    except (ValueError, RecursionError, AttributeError):
        return {"error": NOT_UNDERSTOOD, "id": None, "jsonrpc": "2.0"}
    number = number if type(number) in (int, str) else None
    if type(method) is not str or method not in results:
        return {"error": NO_SUCH_METHOD, "id": number, "jsonrpc": "2.0"}
    return {"id": number, "jsonrpc": "2.0", "result": results[method]}


if __name__ == "__main__":
    Api().serve()
