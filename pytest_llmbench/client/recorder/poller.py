"""Tells which sockets have something to read, with as little work for each as can be."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable

from pytest_llmbench.client.recorder.stamps import Stamps

COALESCE_S = 0.001
"""How long reads are gathered where the kernel keeps their times: one wake-up then serves many streams."""

GATHER_STREAMS = 4
"""Fewer streams are read at once each: there is time enough, and tokens a millisecond apart keep their own times."""

MAX_ROUNDS = 4
"""After so many rounds of reads without a pause other tasks get their turn."""


class Poller:
    """Calls back for each socket that has become readable.

    All sockets stand behind one epoll instance, which is all that the event loop sees of them.

    Args:
        stamps: tuned before the reads; where it has none from the kernel, no read is put off.
    """

    __slots__ = ("_callbacks", "_epoll", "_is_armed", "_loop", "_stamps", "_timer")

    def __init__(self, stamps: Stamps) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._stamps = stamps
        self._is_armed = False
        self._timer: asyncio.Handle | None = None

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Call back whenever the descriptor is readable, until `forget`."""
        self._callbacks[descriptor] = callback
        self._epoll.register(descriptor, select.EPOLLIN)
        if not self._is_armed and self._timer is None:
            self._arm()

    def forget(self, descriptor: int) -> None:
        """Call back no more; to be called before the descriptor is closed."""
        if self._callbacks.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def close(self) -> None:
        """Forget all."""
        self._disarm()
        if self._timer is not None:
            self._timer.cancel()
        self._epoll.close()

    def _arm(self) -> None:
        self._loop.add_reader(self._epoll.fileno(), self._wake)
        self._is_armed = True

    def _disarm(self) -> None:
        if self._is_armed:
            self._loop.remove_reader(self._epoll.fileno())
            self._is_armed = False

    def _wake(self) -> None:
        """Read what there is; then look again soon, or, where nothing came, wait for the kernel to say so."""
        self._timer = None
        rounds = MAX_ROUNDS  # an error in a callback must not leave the other sockets unwatched
        try:
            rounds = self._read()
        finally:
            self._go_on(rounds)

    def _go_on(self, rounds: int) -> None:
        if rounds == MAX_ROUNDS:
            self._disarm()
            self._timer = self._loop.call_soon(self._wake)
        elif rounds and self._stamps.are_kernels and len(self._callbacks) >= GATHER_STREAMS:
            self._disarm()
            self._timer = self._loop.call_later(COALESCE_S, self._wake)
        elif not self._is_armed and self._callbacks:
            self._arm()
        elif not self._callbacks:
            self._disarm()

    def _read(self) -> int:
        """Read until there is nothing more; return how many rounds it took."""
        self._stamps.tune()
        for done in range(MAX_ROUNDS):
            ready = self._epoll.poll(0)
            if not ready:
                return done
            for descriptor, _ in ready:
                # One callback may make another one forgotten.
                if (callback := self._callbacks.get(descriptor)) is not None:
                    callback()
        return MAX_ROUNDS
