"""All responses that are coming in: who is told of what the sockets hold, and who sees after those that stay silent."""

from __future__ import annotations

import asyncio
import socket
import time

from pytest_llmbench.client.recorder.poller import Poller
from pytest_llmbench.client.recorder.reception import Reception
from pytest_llmbench.client.recorder.stamps import Stamps, stamping_socket
from pytest_llmbench.client.tape import Tape

WATCH_S = 0.1
"""How often those are seen after whose end did not show by itself; a time-out may come so much late."""


class Receiver:
    """Receives any number of responses in the running event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._keeper = stamping_socket()
        self._stamps = Stamps()
        self._poller = Poller(self._stamps)
        self._live: dict[Reception, float | None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(
        self, connection: socket.socket, tape: Tape, *, method: bytes, is_quiet: bool, idle_s: float | None
    ) -> Reception:
        """Begin to receive; ends by itself, or by `stop`."""
        descriptor = connection.fileno()

        def end() -> None:
            self._poller.forget(descriptor)
            self._live.pop(reception, None)

        reception = Reception(connection, self._stamps, tape, method=method, is_quiet=is_quiet, on_end=end)
        self._live[reception] = idle_s
        self._poller.watch(descriptor, reception.on_readable)
        if self._timer is None:
            self._timer = self._loop.call_later(WATCH_S, self._watch)
        return reception

    def close(self) -> None:
        """Receive no more."""
        if self._timer is not None:
            self._timer.cancel()
        for reception in tuple(self._live):
            reception.stop()
        self._poller.close()
        self._keeper.close()

    def _watch(self) -> None:
        now_s = time.monotonic()
        for reception, idle_s in tuple(self._live.items()):
            reception.on_watch(now_s, idle_s)
        self._timer = self._loop.call_later(WATCH_S, self._watch) if self._live else None
