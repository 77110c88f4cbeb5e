"""A server that sends the bytes it is told to, whatever they mean.

    with RawServer([HEAD, b"body", CLOSE]) as server:
        ...  # ask server.url; then look at server.requests

Each request is answered by the next script; the last one repeats.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

CLOSE = None
"""In a script: close the connection."""

Step = bytes | Callable[[], object] | None
"""Bytes to send, something to do, or `CLOSE`."""


class RawServer:
    """Serves scripts on a loopback port from entering to leaving the context."""

    def __init__(self, *scripts: Sequence[Step], host: str = "127.0.0.1", port: int = 0) -> None:
        self.requests: list[bytes] = []
        """Whole requests, in order of arrival."""
        self.connections = 0
        """Accepted so far."""
        self.writes_s: list[float] = []
        """When each piece was sent, on the monotonic clock."""
        self.left = threading.Event()
        """A client has closed its connection."""
        self._scripts = scripts
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((host, port))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}/"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _start(self, target: Callable[..., None], *args: socket.socket) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets.append(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while self._take_request(connection):
                number = min(len(self.requests), len(self._scripts)) - 1
                if not self._follow(self._scripts[number], connection):
                    return
        self.left.set()

    def _follow(self, script: Sequence[Step], connection: socket.socket) -> bool:
        for step in script:
            if step is CLOSE:
                return False
            if callable(step):
                step()
            else:
                self.writes_s.append(time.monotonic())
                connection.sendall(step)
        return True

    def _take_request(self, connection: socket.socket) -> bool:
        data = bytearray()  # grows in place: some requests are of many megabytes
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return False
            data += more
        head = bytes(data[: data.index(b"\r\n\r\n")])
        lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
        size = next((int(value) for name, _, value in lines if name == b"content-length"), 0)
        while len(data) < len(head) + 4 + size:
            more = connection.recv(65536)
            if not more:
                return False
            data += more
        self.requests.append(bytes(data))
        return True
