"""Runs outside the sandbox, in the candidate's network namespace: plays bitcoind's publisher.

Commands, JSON, one a line:
    ["publish", [[topic, body_hex, counter_hex], ...], interval_ms]   queue messages; they go out at this interval
Events to the judge, JSON lists with CLOCK_MONOTONIC in seconds as their second item:
    ["bound", at_s, endpoint]
    ["subscribed" | "unsubscribed", at_s, topic_hex]
    ["accepted" | "disconnected", at_s]

The judge queues messages once it has seen the subscriptions, so that a slow joiner misses nothing.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from pytest_llmbench.sandbox import driver

CONNECTION_EVENTS = {zmq.EVENT_ACCEPTED: "accepted", zmq.EVENT_DISCONNECTED: "disconnected"}
SUBSCRIPTION_EVENTS = {0: "unsubscribed", 1: "subscribed"}


class Publisher:
    """An XPUB socket with a plan."""

    def __init__(self) -> None:
        context = zmq.Context()
        self._socket = context.socket(zmq.XPUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, 0)
        self._socket.setsockopt(zmq.XPUB_VERBOSER, 1)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED)
        self._socket.bind("tcp://127.0.0.1:0")
        self._queue: deque[list[bytes]] = deque()
        self._interval_ms = 0
        _tell("bound", self._socket.getsockopt_string(zmq.LAST_ENDPOINT))

    def serve(self) -> None:
        """Go on until the judge has gone."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        poller.register(driver.DRIVER_FD, zmq.POLLIN)
        while True:
            ready = dict(poller.poll(self._interval_ms if self._queue else None))
            if self._socket in ready:
                self._on_subscription(self._socket.recv())
            if self._monitor in ready:
                event = recv_monitor_message(self._monitor)["event"]
                _tell(CONNECTION_EVENTS[zmq.Event(event)])
            if driver.DRIVER_FD in ready:
                self._on_command(driver.receive())
            if not ready and self._queue:
                self._socket.send_multipart(self._queue.popleft())

    def _on_subscription(self, frame: bytes) -> None:
        if frame[:1] in (b"\x00", b"\x01"):  # anything else is a message of the peer's own, which XPUB also passes on
            _tell(SUBSCRIPTION_EVENTS[frame[0]], frame[1:].hex())

    def _on_command(self, command: Any) -> None:
        _publish, messages, self._interval_ms = command
        self._queue.extend(
            [topic.encode(), bytes.fromhex(body), bytes.fromhex(counter)] for topic, body, counter in messages
        )


def _tell(event: str, *details: str) -> None:
    driver.send([event, time.monotonic(), *details])


if __name__ == "__main__":
    Publisher().serve()
