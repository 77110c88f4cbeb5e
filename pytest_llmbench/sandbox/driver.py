"""For scripts started by `Process.drive`: talk to the judge in JSON values, one a line.

After `from pytest_llmbench.sandbox import driver` a script says `driver.receive()` and `driver.send({"got": 3})`.
"""

from __future__ import annotations

import json
import socket
from typing import Any

DRIVER_FD = 3
"""The driver's end of its private socket."""

_socket: socket.socket | None = None
_rest = b""


def receive() -> Any:
    """Return the judge's next value; the script ends quietly when the judge has gone."""
    global _rest  # noqa: PLW0603 - a script has one judge
    while b"\n" not in _rest:
        part = _own_socket().recv(65536)
        if not part:
            raise SystemExit(0)
        _rest += part
    line, _, _rest = _rest.partition(b"\n")
    return json.loads(line)


def send(value: Any) -> None:
    """Send one JSON value to the judge."""
    _own_socket().sendall(json.dumps(value).encode() + b"\n")


def _own_socket() -> socket.socket:
    global _socket  # noqa: PLW0603 - opened on first use, so that importing this module does nothing
    if _socket is None:
        _socket = socket.socket(fileno=DRIVER_FD)
    return _socket
