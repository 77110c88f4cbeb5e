from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_llmbench.client.recorder import addresses
from pytest_llmbench.client.recorder.addresses import connect
from tests.client.recorder.raw_server import RawServer

LONG_S = 60.0


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[socket.AddressFamily, str]]]:
    """Give names addresses, as a resolver would."""
    known: dict[str, list[tuple[socket.AddressFamily, str]]] = {}
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *args: Any, **more: Any) -> Any:
        if host not in known:
            return real(host, port, *args, **more)
        if more.get("flags") or (len(args) > 3 and args[3]):
            raise socket.gaierror(socket.EAI_NONAME, "not a plain address")
        return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for family, address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


@contextlib.contextmanager
def deaf(host: str = "127.0.0.2", port: int = 0) -> Iterator[int]:
    """Give a port at which connections are neither accepted nor refused."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(4):  # fill its queue
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003 (its only argument)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def peer(host: str, port: int) -> str:
    async def main() -> str:
        with await connect(host, port) as connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert connection.gettimeout() == 0
            return str(connection.getpeername()[0])

    return asyncio.run(main())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_host(host: str) -> None:
    with RawServer([]) as server:
        assert peer(host, server.port) == "127.0.0.1"


def test_an_address_that_refuses_is_passed_over(names: dict[str, Any]) -> None:
    names["both.example"] = [(socket.AF_INET, "127.0.0.2"), (socket.AF_INET, "127.0.0.1")]
    with RawServer([]) as server:
        assert peer("both.example", server.port) == "127.0.0.1"


def test_a_family_that_is_not_there_is_passed_over(names: dict[str, Any]) -> None:
    names["both.example"] = [(socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")]
    with RawServer([]) as server:
        assert peer("both.example", server.port) == "127.0.0.1"


def test_an_address_that_is_silent_costs_its_head_start_only(names: dict[str, Any]) -> None:
    names["both.example"] = [(socket.AF_INET, "127.0.0.2"), (socket.AF_INET, "127.0.0.1")]
    with RawServer([]) as server, deaf(port=server.port):
        began_s = time.monotonic()
        assert peer("both.example", server.port) == "127.0.0.1"
        assert addresses.HEAD_START_S <= time.monotonic() - began_s < LONG_S / 4


def test_one_that_answers_late_still_wins_over_none(names: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    names["both.example"] = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")]
    real = asyncio.SelectorEventLoop.sock_connect

    async def slowly(self: asyncio.SelectorEventLoop, sock: socket.socket, address: Any) -> None:
        if address[0] == "127.0.0.1":
            await asyncio.sleep(0.1)
        await real(self, sock, address)

    monkeypatch.setattr(addresses, "HEAD_START_S", 0)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", slowly)
    with RawServer([]) as server:
        assert peer("both.example", server.port) == "127.0.0.1"


def test_the_families_take_turns(names: dict[str, Any]) -> None:
    four, six = socket.AF_INET, socket.AF_INET6
    names["many.example"] = [(six, "::1"), (six, "::2"), (six, "::3"), (four, "127.0.0.1")]
    found = asyncio.run(addresses._look_up("many.example", 80))
    assert [where[0] for _, where in found] == ["::1", "127.0.0.1", "::2", "::3"]


def test_none_that_answers(names: dict[str, Any]) -> None:
    names["both.example"] = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2")]
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            peer("both.example", bound.getsockname()[1])


def test_giving_up_leaves_no_connection() -> None:
    async def give_up(port: int) -> None:
        async with asyncio.timeout(0.1):
            await connect("127.0.0.2", port)

    with deaf() as port, pytest.raises(TimeoutError):
        asyncio.run(give_up(port))  # a socket left open would be a ResourceWarning, which is an error here
