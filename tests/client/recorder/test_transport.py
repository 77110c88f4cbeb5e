from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import httpx
import pytest

from pytest_llmbench.client.recorder import pool, reception, stamps
from pytest_llmbench.client.recorder.transport import RecorderTransport
from pytest_llmbench.client.tape import EXTENSION, BodyTooLongError, EndedByDoneError, Tape
from tests.client.recorder.raw_server import CLOSE, RawServer, Step

T = TypeVar("T")
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = b"data: {}\n\n"
DONE = b"data: [DONE]\n\n"
LAST = b"0\r\n\r\n"
LONG_S = 60.0
"""A time-out that no test waits for."""
SHORT_S = 3.0
"""One that a test waits for, after something that has to come in that time."""


def coded(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def run(work: Callable[[httpx.AsyncClient], Awaitable[T]], **how: float) -> T:
    async def main() -> T:
        timeout = httpx.Timeout(None, **{"connect": LONG_S, "read": LONG_S} | how)
        async with httpx.AsyncClient(transport=RecorderTransport(), timeout=timeout) as http:
            return await work(http)

    return asyncio.run(main())


async def record(http: httpx.AsyncClient, url: str, max_body_bytes: int = 10**9, **more: bytes) -> Tape:
    tape = Tape(max_body_bytes)
    request = http.build_request("POST", url, extensions={EXTENSION: tape}, **({"content": b"{}"} | more))  # type: ignore[arg-type]
    response = await http.send(request, stream=True)
    assert tape.is_complete
    await response.aclose()
    return tape


def wait_for_stamps() -> None:
    """Wait until the kernel, which the transport has asked for stamps, gives them to connections.

    It takes its time on a busy machine. A datagram would not show it: one that has none is stamped when it is read.
    """
    give_up_s = time.monotonic() + LONG_S
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as sender:
        receiver, _ = listener.accept()
        with receiver:
            stamps.enable(receiver)
            while time.monotonic() < give_up_s:
                sender.sendall(b"x")
                if receiver.recvmsg(1, stamps.CONTROL_BYTES)[1]:
                    return
    raise AssertionError("this kernel gives no stamps")


def body(tape: Tape) -> bytes:
    return b"".join(data for _, data in tape.pieces)


WHOLE: dict[str, list[Step]] = {
    "chunks": [CHUNKED, coded(EVENT), coded(DONE), LAST],
    "all in one write": [CHUNKED + coded(EVENT) + coded(DONE) + LAST],
    "the last chunk in two": [CHUNKED, coded(EVENT + DONE) + LAST[:2], LAST[2:]],
    "the last byte alone": [CHUNKED, coded(EVENT + DONE) + LAST[:-1], LAST[-1:]],
    "byte by byte": [*(bytes([byte]) for byte in CHUNKED + coded(EVENT + DONE) + LAST)],
    "trailers": [CHUNKED, coded(EVENT + DONE), b"0\r\nX-Took: 1\r\n\r\n"],
    "a length": [b"HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n", EVENT, DONE],
    "early hints": [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", CHUNKED, coded(EVENT + DONE) + LAST],
    "continue": [b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED, coded(EVENT + DONE) + LAST],
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_a_body_comes_whole_and_its_connection_serves_again(name: str) -> None:
    async def twice(http: httpx.AsyncClient) -> list[Tape]:
        return [await record(http, server.url), await record(http, server.url)]

    with RawServer(WHOLE[name]) as server:
        tapes = run(twice)
        assert server.connections == 1
    for tape in tapes:
        assert (body(tape), tape.failure) == (EVENT + DONE, None)
        times_s = [tape.sent_at_s, *(at_s for at_s, _ in tape.pieces), tape.ended_at_s]
        assert times_s == sorted(times_s)


def test_data_that_looks_like_the_end_is_not_the_end() -> None:
    with RawServer(
        [CHUNKED, coded(b"data: 0\r\n\r\n")[:-2], b"\r\n" + coded(EVENT), coded(b"0\r\n\r\n"), LAST]
    ) as server:
        tape = run(lambda http: record(http, server.url))
    assert body(tape) == b"data: 0\r\n\r\n" + EVENT + b"0\r\n\r\n"


@pytest.mark.parametrize("over", [b"HTTP/1.1 200 OK\r\n", b"x"])
def test_a_connection_on_which_more_came_does_not_serve_again(over: bytes) -> None:
    async def twice(http: httpx.AsyncClient) -> None:
        for _ in range(2):
            assert body(await record(http, server.url)) == EVENT

    with RawServer([CHUNKED + coded(EVENT) + LAST + over]) as server:
        run(twice)
        assert server.connections == 2


def test_a_connection_that_was_closed_meanwhile_is_not_used() -> None:
    async def twice(http: httpx.AsyncClient) -> None:
        for _ in range(2):
            assert body(await record(http, server.url)) == EVENT
            for thread in server._threads[1:]:
                await asyncio.to_thread(thread.join)  # it has closed its end

    with RawServer([CHUNKED + coded(EVENT) + LAST, CLOSE]) as server:
        run(twice)
        assert server.connections == 2


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_a_kept_connection_that_is_closed_before_any_byte_is_replaced(how: str) -> None:
    async def twice(http: httpx.AsyncClient) -> list[Tape]:
        return [await record(http, server.url), await record(http, server.url)]

    def close_hard() -> None:
        if how == "reset":
            server._sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with RawServer(WHOLE["chunks"], [close_hard, CLOSE], WHOLE["chunks"]) as server:
        tapes = run(twice)
        assert (server.connections, len(server.requests)) == (2, 3)
        first_write_s = server.writes_s[len(WHOLE["chunks"])]
    assert tapes[0].ended_at_s < tapes[1].sent_at_s < first_write_s
    assert [(body(tape), tape.failure) for tape in tapes] == [(EVENT + DONE, None)] * 2


@pytest.mark.parametrize(
    "begun",
    [b"H", b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream", b"HTTP/1.1 100 Continue\r\n\r\n", b"SSH-2.0-OpenSSH\r\n\r\n"],
)  # fmt: skip
def test_a_request_is_not_sent_again_once_a_byte_of_an_answer_came(begun: bytes) -> None:
    async def twice(http: httpx.AsyncClient) -> None:
        await record(http, server.url)
        with pytest.raises(httpx.RemoteProtocolError):
            await record(http, server.url)

    with RawServer(WHOLE["chunks"], [begun, CLOSE]) as server:
        run(twice)
        assert (server.connections, len(server.requests)) == (1, 2)


def test_a_new_connection_that_is_closed_before_any_byte_is_an_error() -> None:
    with RawServer([CLOSE]) as server:
        with pytest.raises(httpx.RemoteProtocolError, match="without an answer"):
            run(lambda http: record(http, server.url))
        assert len(server.requests) == 1


def test_a_connection_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def twice(http: httpx.AsyncClient) -> None:
        for _ in range(2):
            await record(http, server.url)

    monkeypatch.setattr(pool, "KEEP_IDLE_S", 0)
    with RawServer(WHOLE["chunks"]) as server:
        run(twice)
        assert server.connections == 2


@pytest.mark.parametrize(
    ("script", "kind", "said"),
    [
        ([CHUNKED, coded(EVENT), CLOSE], httpx.RemoteProtocolError, "before the end of the body"),
        ([CHUNKED, coded(EVENT), b"zz\r\nmore", CLOSE], httpx.RemoteProtocolError, "malformed chunk size"),
        ([CHUNKED, coded(EVENT), b"3\r\nabcde\r\n" + LAST], httpx.RemoteProtocolError, "goes on after its size"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + EVENT, CLOSE], httpx.RemoteProtocolError, "before the end"),
        ([CHUNKED, coded(EVENT)], httpx.ReadTimeout, "no byte came for 3 s"),
        ([CHUNKED, coded(EVENT * 20)], BodyTooLongError, "more than 100 bytes"),
        ([CHUNKED, coded(EVENT), coded(DONE)], EndedByDoneError, "after [DONE]"),
    ],
)  # fmt: skip
def test_a_body_that_does_not_come_whole(
    script: list[Step], kind: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "DONE_GRACE_S", 0.1)
    silent = kind is httpx.ReadTimeout
    with RawServer(script) as server:
        tape = run(lambda http: record(http, server.url, max_body_bytes=100), read=SHORT_S if silent else LONG_S)
    assert isinstance(tape.failure, kind)
    assert said in str(tape.failure)
    assert body(tape).startswith(EVENT)


@pytest.mark.parametrize(
    ("script", "kind"),
    [([CLOSE], httpx.RemoteProtocolError), ([b"HTTP/1.1 200 OK\r\n", CLOSE], httpx.RemoteProtocolError),
     ([b"SSH-2.0-OpenSSH\r\n\r\n"], httpx.RemoteProtocolError), ([], httpx.ReadTimeout), ([b"HTTP/1.1 200 OK\r\n"], httpx.ReadTimeout)],
)  # fmt: skip
def test_no_head_is_an_error(script: list[Step], kind: type[Exception]) -> None:
    with RawServer(script) as server, pytest.raises(kind):
        run(lambda http: record(http, server.url), read=0.3 if kind is httpx.ReadTimeout else LONG_S)


def test_a_bound_is_for_the_body_not_for_its_coding() -> None:
    with RawServer([CHUNKED, *(coded(b"x") for _ in range(100)), LAST]) as server:
        tape = run(lambda http: record(http, server.url, max_body_bytes=100))
    assert (tape.failure, len(body(tape))) == (None, 100)


def test_without_a_tape_pieces_are_given_out_as_they_come() -> None:
    seen = threading.Event()

    async def read(http: httpx.AsyncClient) -> list[bytes]:
        pieces = []
        async with http.stream("GET", server.url) as response:
            async for piece in response.aiter_raw():
                pieces.append(piece)
                seen.set()
        return pieces

    with RawServer([CHUNKED + coded(b"first"), lambda: seen.wait(LONG_S), coded(b"second") + LAST]) as server:
        assert run(read) == [b"first", b"second"]
    assert server.requests[0].startswith(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:")


def test_without_a_tape_a_broken_body_is_an_error_and_so_is_silence() -> None:
    for script, kind in (([CHUNKED, coded(EVENT), CLOSE], httpx.RemoteProtocolError), ([CHUNKED, coded(EVENT)], httpx.ReadTimeout)):  # fmt: skip
        read_s = 0.3 if kind is httpx.ReadTimeout else LONG_S
        with RawServer(script) as server, pytest.raises(kind):
            run(functools.partial(httpx.AsyncClient.get, url=server.url), read=read_s)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Encoding: x\r\nContent-Length: 4\r\n\r\n"]
)  # fmt: skip
def test_what_is_no_plain_answer_is_not_recorded(head: bytes) -> None:
    tape = Tape(100)

    async def ask(http: httpx.AsyncClient) -> httpx.Response:
        return await http.post(server.url, extensions={EXTENSION: tape})

    with RawServer([head, b"four"]) as server:
        assert run(ask).content == b"four"
    assert (tape.is_complete, tape.pieces) == (False, [])


def test_no_content() -> None:
    with RawServer([b"HTTP/1.1 204 No Content\r\n\r\n"]) as server:
        assert run(lambda http: http.get(server.url)).status_code == 204


def test_a_request_longer_than_any_buffer_is_sent_when_its_last_byte_is() -> None:
    content = b"x" * 32_000_000
    with RawServer(WHOLE["chunks"]) as server:
        began_s = time.monotonic()
        tape = run(lambda http: record(http, server.url, content=content))
        assert server.requests[0].endswith(content)
        assert began_s < tape.sent_at_s < server.writes_s[0]


def test_a_content_that_is_made_while_it_is_sent() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    with RawServer([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]) as server:
        run(lambda http: http.post(server.url, content=parts()))
    assert server.requests[0].endswith(b"\r\n\r\none two")


def test_a_header_cannot_smuggle_another_one_in() -> None:
    with RawServer([CLOSE]) as server, pytest.raises(httpx.LocalProtocolError):
        run(lambda http: http.get(server.url, headers={"a": "b\r\nc: d"}))
    assert server.requests == []


@pytest.mark.parametrize("tape", [None, Tape(100)])
def test_giving_up_closes_the_connection(tape: Tape | None) -> None:
    came = asyncio.Event()

    async def give_up(http: httpx.AsyncClient) -> None:
        loop = asyncio.get_running_loop()
        steps.append(lambda: loop.call_soon_threadsafe(came.set))
        asking = asyncio.create_task(http.post(server.url, extensions={} if tape is None else {EXTENSION: tape}))
        await came.wait()
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        assert await asyncio.to_thread(server.left.wait, LONG_S), "the server still waits"

    steps: list[Step] = [CHUNKED, coded(EVENT)]
    with RawServer(steps) as server:
        run(give_up)


def test_closing_the_client_ends_what_still_comes() -> None:
    began = asyncio.Event()

    async def leave() -> Tape:
        loop = asyncio.get_running_loop()
        steps.append(lambda: loop.call_soon_threadsafe(began.set))
        http = httpx.AsyncClient(transport=RecorderTransport(), timeout=LONG_S)
        asking = asyncio.create_task(record(http, server.url))
        await began.wait()
        await http.aclose()
        return await asking

    steps: list[Step] = [CHUNKED, coded(EVENT)]
    with RawServer(steps) as server:
        assert isinstance(asyncio.run(leave()).failure, httpx.ReadError)
        assert server.left.wait(LONG_S)


def test_a_response_that_outlives_its_client_leaves_no_connection() -> None:
    async def outlive() -> None:
        http = httpx.AsyncClient(transport=RecorderTransport(), timeout=LONG_S)
        response = await http.send(http.build_request("GET", server.url), stream=True)
        assert await response.aread() == EVENT + DONE
        late = await http.send(http.build_request("GET", server.url), stream=True)
        await http.aclose()
        await late.aclose()

    with RawServer(WHOLE["all in one write"]) as server:
        asyncio.run(outlive())  # a socket left open would be a ResourceWarning, which is an error here
        assert server.left.wait(LONG_S)


@pytest.mark.skipif(not stamps.kernel_stamps(), reason="this kernel does not stamp what it receives")
def test_a_client_that_is_late_to_read_does_not_charge_the_server() -> None:
    held_up, late_s = threading.Event(), 1.0

    def hold_up() -> None:
        held_up.set()
        time.sleep(late_s)  # of the event loop: from before the first byte until long after it

    async def read_late(http: httpx.AsyncClient) -> Tape:
        await record(http, server.url)
        wait_for_stamps()
        loop = asyncio.get_running_loop()
        late[:2] = [lambda: loop.call_soon_threadsafe(hold_up), lambda: held_up.wait(LONG_S)]
        return await record(http, server.url)

    late: list[Step] = [b"", b"", *WHOLE["all in one write"]]
    with RawServer(WHOLE["all in one write"], late) as server:
        tape = run(read_late)
        wrote_s = server.writes_s[1]
    assert abs(tape.pieces[0][0] - wrote_s) < late_s / 2


def test_without_stamps_of_the_kernel_times_are_those_of_the_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, "enable", lambda _: False)
    with RawServer(WHOLE["chunks"]) as server:
        tape = run(lambda http: record(http, server.url))
        assert body(tape) == EVENT + DONE
        assert server.writes_s[0] < tape.pieces[0][0] <= tape.ended_at_s


def test_the_clocks_are_compared_by_the_reading_that_was_least_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    held_up_ns = [9_000_000, 1_000_000, 30_000, 5_000_000, 7_000_000]
    now_ns, took_ns = 50 * 10**9, iter(held_up_ns)

    def real_ns() -> int:
        nonlocal now_ns
        now_ns += next(took_ns)  # another process runs between the two
        return now_ns + 1_000 * 10**9

    monkeypatch.setattr(time, "monotonic_ns", lambda: now_ns)
    monkeypatch.setattr(time, "time_ns", real_ns)
    clock = stamps.Stamps()
    stamp = [(socket.SOL_SOCKET, 35, struct.pack("@ll", 1_049, 0))]
    monkeypatch.setattr(time, "monotonic", lambda: now_ns / 1e9)
    assert clock.at_s(stamp, 0.0) == pytest.approx(49 - 30e-6, abs=1e-9)


def test_stamps_follow_a_clock_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monotonic_ns, real_ns = 50 * 10**9, 1_000 * 10**9
    monkeypatch.setattr(time, "monotonic_ns", lambda: monotonic_ns)
    monkeypatch.setattr(time, "time_ns", lambda: real_ns)
    monkeypatch.setattr(time, "monotonic", lambda: monotonic_ns / 1e9)

    def control(at_ns: int) -> stamps.Control:
        return [(socket.SOL_SOCKET, 35, struct.pack("@ll", *divmod(at_ns, 10**9)))]

    clock = stamps.Stamps()
    assert clock.at_s(control(real_ns - 10**9), 0.0) == pytest.approx(49)
    assert clock.at_s([], 0.0) == 50, "no stamp"
    assert clock.at_s(control(real_ns - 10**9), 49.5) == 50, "before the data before it"
    assert clock.at_s(control(real_ns - 10**9), 49.0001) == 49.0001, "by no more than two readings of the clocks differ"
    assert clock.at_s(control(real_ns + 10**10), 0.0) == 50, "in the future"
    real_ns += 3600 * 10**9
    clock.tune()
    assert clock.at_s(control(real_ns - 10**9), 0.0) == pytest.approx(49)
