"""When bytes came, by the kernel's own clock.

Linux stamps every packet on arrival and gives the stamp of the last byte read with the data (socket(7), SO_TIMESTAMPNS).
So a client that is late to read does not take its own lateness for the server's.
"""

from __future__ import annotations

import functools
import socket
import struct
import sys
import time

_TIMESTAMPNS = 35
"""SO_TIMESTAMPNS in Linux's asm-generic; Python has no name for it."""
_TIMESPEC = struct.Struct("@ll")
CONTROL_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)
_SURE_NS = 20_000
_TRIES = 5
_MAX_AHEAD_S = 1.0
_JITTER_S = 0.001
"""By so much two readings of the clocks may differ on a busy machine."""

Control = list[tuple[int, int, bytes]]


def enable(connection: socket.socket) -> bool:
    """Ask for the kernel's stamps on all reads of a connection; return whether it gives them."""
    if sys.platform != "linux":
        return False
    try:
        connection.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def stamping_socket() -> socket.socket:
    """Return a socket that keeps the kernel stamping until it is closed.

    Linux begins a little after the first socket of the machine has asked for it, and stops with the last one.
    """
    keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    enable(keeper)
    return keeper


@functools.cache
def kernel_stamps() -> bool:
    """Say whether this kernel stamps what it receives."""
    with socket.socket() as any_socket:
        return enable(any_socket)


class Stamps:
    """Turns the kernel's stamps, which are times of day, into times on the monotonic clock."""

    __slots__ = ("_behind_ns", "are_kernels")

    def __init__(self) -> None:
        self.are_kernels = False
        """Whether any read has had a stamp of the kernel's."""
        self._behind_ns = 0
        self.tune()

    def tune(self) -> None:
        """Compare the two clocks anew; to be called before each round of reads, so that a clock set meanwhile does no harm."""
        narrowest_ns = None
        for _ in range(_TRIES):
            before_ns = time.monotonic_ns()
            real_ns = time.time_ns()
            took_ns = time.monotonic_ns() - before_ns
            # Where another process came in between, the clocks were not read together.
            if narrowest_ns is None or took_ns < narrowest_ns:
                narrowest_ns, self._behind_ns = took_ns, real_ns - before_ns
            if took_ns < _SURE_NS:
                break

    def at_s(self, control: Control, last_s: float) -> float:
        """Return when the data came, in seconds on the monotonic clock.

        Args:
            control: what came with the data; without a stamp in it the time is now.
            last_s: when the data before it came; no time before that can be true.
        """
        for _, kind, value in control:
            if kind == _TIMESTAMPNS and len(value) == _TIMESPEC.size:
                seconds, ns = _TIMESPEC.unpack(value)
                at_s: float = (seconds * 1_000_000_000 + ns - self._behind_ns) * 1e-9
                if last_s - _JITTER_S <= at_s < time.monotonic() + _MAX_AHEAD_S:
                    self.are_kernels = True
                    return max(at_s, last_s)
        return time.monotonic()
