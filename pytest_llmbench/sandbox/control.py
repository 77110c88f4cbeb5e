"""The grader's side of the talk with the first program (`first.py`), over one private socket.

first -> grader   {"proof":1} with the folders' and the network namespace's file descriptors, before anything else
grader -> first   length, JSON job, contents of the files; with the candidate's channel, stdout and stderr
first -> grader   {"started": pid} or {"refused": why}; later {"status", "signal", "cpu_s"} once
grader -> first   {"signal": number}, any time; the end of the socket means: stop
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_PROOF_FDS = 8
MAX_LINE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Order:
    """A job as the first program understands it: every place is real."""

    argv: Sequence[str]
    env: Mapping[str, str]
    files: Sequence[tuple[str, bytes, int]]
    """Relative path, content, mode."""
    rlimits: Sequence[tuple[str, int, int]]
    """Name, soft, hard."""
    lifetime_s: float
    """The first program ends by itself after this time, should everybody outside be gone or stuck."""


@dataclass(slots=True)
class Talk:
    """The socket and what is left of a half-received line."""

    socket: socket.socket
    _rest: bytes = field(default=b"")

    def take_proof(self) -> list[int] | None:
        """Return the descriptors that came with the start proof, or None if the first program never ran.

        Raises:
            TimeoutError: nothing came within the socket's time limit.
        """
        try:
            line, fds, _, _ = socket.recv_fds(self.socket, MAX_LINE_BYTES, MAX_PROOF_FDS, socket.MSG_CMSG_CLOEXEC)
        except ConnectionError:
            return None
        return list(fds) if line else None

    def send_order(self, order: Order, fds: Sequence[int]) -> None:
        """Hand over the job; `fds` are the candidate's channel, stdout and stderr."""
        about = {
            "argv": list(order.argv),
            "env": dict(order.env),
            "files": [(path, len(content), mode) for path, content, mode in order.files],
            "rlimits": list(order.rlimits),
            "lifetime_s": order.lifetime_s,
        }
        text = json.dumps(about).encode()
        socket.send_fds(self.socket, [struct.pack("!I", len(text))], list(fds))
        self.socket.sendall(text)
        for _path, content, _mode in order.files:
            self.socket.sendall(content)

    def send_signal(self, number: int) -> None:
        """Ask for a signal to the candidate's first process; nothing happens if all is over."""
        try:
            self.socket.sendall(json.dumps({"signal": number}).encode() + b"\n")
        except OSError:
            return

    def receive(self) -> list[dict[str, Any]] | None:
        """Return the messages that the next read brings, maybe none; None at the end of the talk."""
        try:
            part = self.socket.recv(MAX_LINE_BYTES)
        except ConnectionError:
            return None
        if not part:
            return None
        *lines, self._rest = (self._rest + part).split(b"\n")
        return [json.loads(line) for line in lines]
