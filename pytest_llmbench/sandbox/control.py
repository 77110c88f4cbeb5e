"""The grader's side of the talk with the first program (`first.py`), over one private socket.

first -> grader   {"proof":1} with the folders' and the network namespace's file descriptors, before anything else
grader -> first   length, JSON job, contents of the files; with the candidate's channel, stdout and stderr
first -> grader   {"started": pid} or {"refused": why}; later {"status", "signal", "cpu_s"} once
grader -> first   {"signal": number}, any time; the end of the socket means: stop
"""

from __future__ import annotations

import array
import json
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_PROOF_FDS = 8
MAX_LINE_BYTES = 65536
_CREDENTIALS = struct.Struct("=3i")
"""struct ucred: process, user and group id."""


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


@dataclass(frozen=True, slots=True)
class Proof:
    """What only a first program that runs can have sent."""

    pid: int
    """Its process id in our namespace, by the kernel's word."""
    fds: tuple[int, ...]
    """The working folder, /proc, and in a namespace of its own /tmp, /dev/shm and the network namespace."""


@dataclass(slots=True)
class Talk:
    """The socket and what is left of a half-received line."""

    socket: socket.socket
    _rest: bytes = field(default=b"")

    def take_proof(self) -> Proof | None:
        """Return the start proof that lies ready, or None if the socket ended instead."""
        room = socket.CMSG_SPACE(MAX_PROOF_FDS * 4) + socket.CMSG_SPACE(_CREDENTIALS.size)
        try:
            line, ancillary, _, _ = self.socket.recvmsg(MAX_LINE_BYTES, room, socket.MSG_CMSG_CLOEXEC)
        except ConnectionError:
            return None
        if not line:
            return None
        given = {kind: data for _, kind, data in ancillary}
        fds = array.array("i")
        fds.frombytes(given.get(socket.SCM_RIGHTS, b""))
        return Proof(_CREDENTIALS.unpack(given[socket.SCM_CREDENTIALS])[0], tuple(fds))

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
