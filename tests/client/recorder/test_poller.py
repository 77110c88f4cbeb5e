from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator

import pytest

from pytest_llmbench.client.recorder import poller
from pytest_llmbench.client.recorder.poller import Poller
from pytest_llmbench.client.recorder.stamps import Stamps

STREAMS = 2 * poller.GATHER_STREAMS
PATIENCE_S = 30.0


class Streams:
    """Pairs of sockets; what comes at one end is counted."""

    def __init__(self, pairs: list[tuple[socket.socket, socket.socket]], *, are_stamped: bool) -> None:
        self.ends = [far for _, far in pairs]
        self.read = [0] * len(pairs)
        self.fails = False
        self._near = [near for near, _ in pairs]
        self._changed = asyncio.Event()
        stamps = Stamps()
        stamps.are_kernels = are_stamped
        self.poller = Poller(stamps)
        for number in range(len(pairs)):
            self.watch(number)

    def watch(self, number: int) -> None:
        self.poller.watch(self._near[number].fileno(), lambda: self._take(number))

    def forget(self, number: int) -> None:
        self.poller.forget(self._near[number].fileno())

    def _take(self, number: int) -> None:
        self.read[number] += len(self._near[number].recv(1))
        self._changed.set()
        if self.fails:
            self.fails = False
            raise ValueError("a callback that fails")

    async def until(self, wanted: list[int]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.read != wanted:
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    made = [socket.socketpair() for _ in range(STREAMS)]
    yield made
    for near, far in made:
        near.close()
        far.close()


@pytest.fixture(params=[True, False], ids=["gathering", "at once"])
def run(
    request: pytest.FixtureRequest, pairs: list[tuple[socket.socket, socket.socket]]
) -> Callable[[Callable[[Streams], Awaitable[None]]], None]:
    def runner(work: Callable[[Streams], Awaitable[None]]) -> None:
        async def main() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # of callbacks that fail on purpose
            streams = Streams(pairs, are_stamped=request.param)
            try:
                await work(streams)
            finally:
                streams.poller.close()

        asyncio.run(main())

    return runner


Run = Callable[[Callable[[Streams], Awaitable[None]]], None]


def test_every_socket_is_read_again_and_again(run: Run) -> None:
    async def work(streams: Streams) -> None:
        for times in range(1, 6):
            for end in streams.ends:
                end.send(b"x")
            await streams.until([times] * STREAMS)

    run(work)


def test_what_is_more_than_one_turn_can_take_is_read_in_the_next(run: Run) -> None:
    count = 5 * poller.MAX_ROUNDS

    async def work(streams: Streams) -> None:
        streams.ends[0].send(b"x" * count)
        await streams.until([count] + [0] * (STREAMS - 1))

    run(work)


def test_others_get_their_turn_amid_a_flood(run: Run) -> None:
    async def work(streams: Streams) -> None:
        streams.ends[0].send(b"x" * 50 * poller.MAX_ROUNDS)
        turns = 0
        while streams.read[0] < 50 * poller.MAX_ROUNDS:
            await asyncio.sleep(0)
            turns += 1
        assert turns >= 50

    run(work)


def test_a_socket_that_is_forgotten_is_read_no_more(run: Run) -> None:
    async def work(streams: Streams) -> None:
        streams.forget(0)
        streams.forget(0)
        for end in streams.ends:
            end.send(b"x")
        await streams.until([0] + [1] * (STREAMS - 1))
        streams.watch(0)
        await streams.until([1] * STREAMS)

    run(work)


def test_a_callback_that_fails_does_not_hold_up_the_others(run: Run) -> None:
    async def work(streams: Streams) -> None:
        streams.fails = True
        for end in streams.ends:
            end.send(b"x")
        await streams.until([1] * STREAMS)
        for end in streams.ends:
            end.send(b"x")
        await streams.until([2] * STREAMS)

    run(work)
