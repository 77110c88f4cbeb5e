"""When bytes arrived, by the kernel's stamp: the server may have been busy writing when they did."""

from __future__ import annotations

import socket
import struct
import time

_STAMP = 35  # SO_TIMESTAMPNS of Linux; Python has no name for it
_TIMESPEC = struct.Struct("@ll")
CONTROL_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
_ONE_MOMENT_S = 20e-6
_TRIES = 5


def stamp_arrivals(listener: socket.socket) -> None:
    """Have the kernel stamp what arrives at all connections that the listener accepts from now on."""
    listener.setsockopt(socket.SOL_SOCKET, _STAMP, 1)


def arrival_s(control: list[tuple[int, int, bytes]]) -> float:
    """Return when the last bytes read had arrived, in seconds on the monotonic clock; without a stamp that is now."""
    now_s, now_ns = _two_clocks()
    for _, kind, value in control:
        if kind == _STAMP and len(value) == _TIMESPEC.size:
            seconds, ns = _TIMESPEC.unpack(value)
            ago_s: float = (now_ns - seconds * 1_000_000_000 - ns) / 1e9
            if 0 <= ago_s < 1:
                return now_s - ago_s
    return now_s


def _two_clocks() -> tuple[float, int]:
    """Return one moment in seconds on the monotonic clock and in nanoseconds of the day's clock."""
    for _ in range(_TRIES):
        now_s, now_ns = time.monotonic(), time.time_ns()
        # Where another process came in between, they are two moments.
        if time.monotonic() - now_s < _ONE_MOMENT_S:
            break
    return now_s, now_ns
