from __future__ import annotations

import asyncio
import gzip
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest
import stamina

from pytest_llmbench.client import (
    Received,
    RetryPolicy,
    Timeouts,
    build_body,
    call,
    chat,
    complete,
    open_client,
    receive,
    record,
)
from pytest_llmbench.client.recorder import reception
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.model.endpoint import Endpoint, Sampling
from tests.client.scripted_server import (
    HANGUP,
    MODEL,
    RESET,
    SILENCE,
    End,
    Framing,
    Reply,
    Request,
    ScriptedServer,
    answered,
    cut,
    page,
    refusal,
    refusing_url,
    streamed,
)

ANSWER, REASONING = "One two  three\nfour", "I think so"
KEY = "sk-0123456789"
GOOD = streamed(ANSWER, reasoning=REASONING)
LONG_S = 60.0
"""A time-out that no test waits for."""


@pytest.fixture(params=["recorder", "httpx"], autouse=True)
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run each test over both transports: nothing but the times may tell them apart."""
    if request.param == "httpx":
        monkeypatch.setattr(chat, "DirectTransport", httpx.AsyncHTTPTransport)
    return str(request.param)


def endpoint(url: str, **more: Any) -> Endpoint:
    return Endpoint(name="new", url=url, model=MODEL, **more)


def ask(url: str, *, timeouts: Timeouts = Timeouts(), **how: Any) -> Exchange:  # noqa: B008 (frozen)
    async def run() -> Exchange:
        async with open_client(timeouts) as http:
            return await complete(http, endpoint(url), "Why?", timeouts=timeouts, **how)

    return asyncio.run(run())


def failure(server: ScriptedServer, **how: Any) -> str:
    with pytest.raises(EndpointError) as caught:
        ask(server.url, api_key=KEY, **how)
    text = str(caught.value)
    assert text.startswith(f"{server.url}/chat/completions: ")
    assert text.isprintable(), "an error is one line"
    assert KEY not in text
    return text


def test_the_body_says_every_sampling_parameter() -> None:
    body = build_body(endpoint("http://h/v1", sampling=Sampling(seed=42)), "Why?")
    assert body == {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Why?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 16_384,
        "seed": 42,
    }
    assert "seed" not in build_body(endpoint("http://h/v1"), "Why?")


def test_extra_body_wins_by_key() -> None:
    extra = {"temperature": 0.7, "chat_template_kwargs": {"enable_thinking": False}, "stream_options": {}}
    body = build_body(endpoint("http://h/v1", extra_body=extra), "Why?")
    assert body | extra == body
    assert body["top_p"] == 1.0


@pytest.mark.parametrize("ending", ["", "/"])
def test_an_answer_over_a_real_socket(ending: str, transport: str) -> None:
    with ScriptedServer(GOOD) as server:
        exchange = ask(server.url + ending, api_key=KEY)
    assert (exchange.content, exchange.reasoning, exchange.finish_reason) == (ANSWER, REASONING, "stop")
    assert (exchange.usage.completion_tokens, exchange.attempts, exchange.served_model) == (7, 1, MODEL)
    assert exchange.transport == transport
    assert [each.is_reasoning for each in exchange.chunks] == [True] * 3 + [False] * 4
    assert sum(each.size_bytes for each in exchange.reads) == len(b"".join(GOOD.pieces))
    assert [each.at_s for each in exchange.reads] == sorted(each.at_s for each in exchange.reads)
    (request,) = server.requests
    assert request.body == build_body(endpoint(server.url), "Why?")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"


def test_a_whole_body_is_sent_as_it_is() -> None:
    body = {"model": "other", "messages": [], "tools": [{"type": "function"}], "stream": True}

    async def run(url: str) -> Exchange:
        async with open_client(Timeouts()) as http:
            return (await receive(http, endpoint(url, extra_body={"seed": 1}), body)).exchange()

    with ScriptedServer(GOOD) as server:
        assert asyncio.run(run(server.url)).content == ANSWER
    assert server.requests[0].body == body


def test_what_was_received_knows_when_it_was_sent() -> None:
    async def run(url: str) -> Received:
        async with open_client(Timeouts()) as http:
            return await receive(http, endpoint(url), "Why?")

    with ScriptedServer(GOOD) as server:
        began_s = time.monotonic()
        recording = asyncio.run(run(server.url)).recording
    assert recording.sent_at_s is not None
    assert began_s < recording.sent_at_s
    assert server.writes[-1].at_s < recording.sent_at_s + recording.ended_at_s


def test_without_a_key_no_authorization_is_sent() -> None:
    with ScriptedServer(GOOD) as server:
        ask(server.url)
    assert "authorization" not in server.requests[0].headers


SAME = {
    "CRLF and pings": streamed(ANSWER, reasoning=REASONING, newline="\r\n", ping=True),
    "until close": replace(GOOD, framing=Framing.UNTIL_CLOSE),
    "with its length": replace(GOOD, framing=Framing.LENGTH),
    "no [DONE]": streamed(ANSWER, reasoning=REASONING, done=False),
    "no [DONE], cut": streamed(ANSWER, reasoning=REASONING, done=False, end=End.CUT),
    "[DONE], cut": replace(GOOD, end=End.CUT),
    "byte by byte": replace(GOOD, pieces=tuple(bytes([byte]) for byte in b"".join(GOOD.pieces))),
    "in one write": replace(GOOD, pieces=(b"".join(GOOD.pieces),)),
    "reasoning, not reasoning_content": streamed(ANSWER, reasoning=REASONING, reasoning_fields=["reasoning"]),
    "both reasoning fields": streamed(ANSWER, reasoning=REASONING, reasoning_fields=["reasoning", "reasoning_content"]),
    "three tokens a chunk": streamed(ANSWER, reasoning=REASONING, tokens_per_chunk=3),
    "compressed unasked": replace(
        GOOD, pieces=(gzip.compress(b"".join(GOOD.pieces)),), headers={"content-encoding": "gzip"}
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_forms_that_mean_the_same(name: str) -> None:
    with ScriptedServer(SAME[name]) as server:
        exchange = ask(server.url)
    assert (exchange.content, exchange.reasoning, exchange.usage.completion_tokens) == (ANSWER, REASONING, 7)


def test_a_server_that_does_not_stream() -> None:
    with ScriptedServer(answered(ANSWER)) as server:
        exchange = ask(server.url)
    assert (exchange.content, exchange.timing.ttft_s) == (ANSWER, None)
    assert exchange.timing.e2e_s is not None


@pytest.mark.parametrize("pieces", [GOOD.pieces, tuple(bytes([byte]) for byte in b"".join(GOOD.pieces))])
def test_a_connection_kept_open_after_done_costs_no_idle_timeout(pieces: tuple[bytes, ...]) -> None:
    began_s = time.monotonic()
    with ScriptedServer(replace(GOOD, pieces=pieces, end=End.HOLD)) as server:
        exchange = ask(server.url, timeouts=Timeouts(read_idle_s=LONG_S, total_s=LONG_S))
    assert exchange.content == ANSWER
    assert time.monotonic() - began_s < LONG_S / 4
    assert exchange.timing.e2e_s is not None
    assert exchange.timing.e2e_s <= exchange.reads[-1].at_s, "waiting for the end of the body is not the answer's time"


def test_an_answer_that_speaks_of_done_is_read_on() -> None:
    text = "it ends with data: [DONE]\n\ndata: [DONE]\n\nand goes on"
    with ScriptedServer(replace(streamed(text), pause_s=0.01)) as server:
        assert ask(server.url).content == text


def test_a_read_that_ends_amid_such_words_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "DONE_GRACE_S", 0.05)
    monkeypatch.setattr(reception, "DONE_GRACE_S", 0.05)
    whole = b"".join(streamed("it ends with data: [DONE] they say", tokens_per_chunk=99).pieces)
    cut_at = whole.index(b"[DONE]") + len(b"[DONE]")
    with ScriptedServer(Reply(pieces=(whole[:cut_at], whole[cut_at:]), pause_s=0.3)) as server:
        assert ask(server.url).content == "it ends with data: [DONE] they say"


def test_a_connection_serves_again() -> None:
    async def twice(url: str) -> None:
        async with open_client(Timeouts()) as http:
            for _ in range(2):
                await complete(http, endpoint(url), "Why?")

    with ScriptedServer(GOOD) as server:
        asyncio.run(twice(server.url))
        assert len(server._threads) == 2, "one accepts, one serves the one connection"


def test_many_answers_at_once() -> None:
    async def many(url: str) -> list[Exchange]:
        async with open_client(Timeouts()) as http:
            return await asyncio.gather(*(complete(http, endpoint(url), f"{number}") for number in range(40)))

    with ScriptedServer(lambda request: streamed(f"answer to {request.body['messages'][0]['content']}")) as server:
        exchanges = asyncio.run(many(server.url))
    assert [each.content for each in exchanges] == [f"answer to {number}" for number in range(40)]


HALF = [cut(GOOD, 3, End.CUT), cut(GOOD, 3, End.RESET), cut(GOOD, 3, End.WHOLE), cut(replace(GOOD, framing=Framing.UNTIL_CLOSE), 3),
        cut(GOOD, 0, End.CUT), cut(GOOD, 1, End.RESET)]  # fmt: skip


@pytest.mark.parametrize("half", HALF)
def test_half_an_answer_is_no_answer_and_is_not_asked_for_again(half: Reply) -> None:
    with ScriptedServer([half, GOOD]) as server:
        assert "half-received answer" in failure(server)
    assert len(server.requests) == 1


def test_a_stall_in_the_middle() -> None:
    with ScriptedServer([cut(GOOD, 3, End.HOLD), GOOD]) as server:
        # Long enough for what does come, on a busy machine too.
        text = failure(server, timeouts=Timeouts(read_idle_s=2.0))
    assert "half-received answer: the server stalled, no byte came for 2 s after" in text
    assert len(server.requests) == 1


def test_silence_from_the_start() -> None:
    with ScriptedServer([SILENCE, GOOD]) as server:
        assert "no byte of an answer within 0.3 s" in failure(server, timeouts=Timeouts(read_idle_s=0.3))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply", [SILENCE, cut(GOOD, 3, End.HOLD), replace(streamed("a " * 500, ping=True), pause_s=0.05)]
)
def test_the_total_is_bounded_whatever_the_server_does(reply: Reply) -> None:
    with ScriptedServer(reply) as server:
        text = failure(server, timeouts=Timeouts(total_s=0.3))
    assert "no whole answer within 0.3 s" in text
    assert "raise --llm-timeout" in text


def test_the_total_covers_the_pauses_between_attempts() -> None:
    with ScriptedServer(refusal(429, retry_after="30")) as server:
        stamina.set_testing(False)
        assert "no whole answer within 0.3 s" in failure(server, timeouts=Timeouts(total_s=0.3))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "bad",
    [refusal(429, {"error": "busy"}, retry_after="1"), refusal(429, retry_after="Sat, 21 Nov 2020 10:00:00 GMT"), refusal(503), RESET, HANGUP],
)  # fmt: skip
def test_what_may_pass_is_tried_again(bad: Reply) -> None:
    pause_s = 0.05

    def script(_: Request) -> Reply:
        if len(server.requests) == 3:
            return GOOD
        time.sleep(pause_s)
        return bad

    with ScriptedServer(script) as server:
        exchange = ask(server.url)
    ended_s = time.monotonic()
    assert (exchange.content, exchange.attempts, len(server.requests)) == (ANSWER, 3, 3)
    # The last attempt began after the second one's pause; were the first one's start taken, a pause would be left over.
    assert exchange.timing.ttft_s is not None
    assert exchange.timing.ttft_s < ended_s - server.requests[1].arrived_at_s - pause_s


@pytest.mark.parametrize("bad", [refusal(429, {"error": "busy"}), refusal(503), RESET])
def test_it_gives_up_in_the_end(bad: Reply) -> None:
    with ScriptedServer(bad) as server:
        assert "gave up after 3 attempts" in failure(server, policy=RetryPolicy(attempts=3))
    assert len(server.requests) == 3


def test_a_server_that_asks_for_too_long_a_pause_is_asked_once() -> None:
    with ScriptedServer([refusal(429, retry_after="3600"), GOOD]) as server:
        assert "asks to wait 3600 s" in failure(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (refusal(500, {"error": {"message": "CUDA error"}}), "HTTP 500; it said 'CUDA error'; see the server's log"),
        (refusal(500, b"<h1>Oops</h1>"), "HTTP 500; it said '<h1>Oops</h1>'"),
        (refusal(500, {"error": f"key {KEY}"}), "'key ***'"),
        (refusal(400, {"message": "no seed"}), "'no seed'; the server refuses a field"),
        (refusal(422, {"detail": [{"loc": ["ignore_eos"]}]}), "ignore_eos"),
        (refusal(401), "set api_key_env"),
        (refusal(404, {"error": {"message": "no such model"}}), "'no such model'; the base URL should end in /v1"),
        (refusal(307, location="https://elsewhere/"), "HTTP 307 to 'https://elsewhere/'; redirects are not followed"),
        (page(), "'<!doctype html><title>Welcome</title>'"),
        (page(b'{"error": {"message": "boom"}}', "application/json"), "boom"),
        (Reply(pieces=(b'data: {"error": {"message": "boom"}}\n\n',)), "boom"),
        (Reply(pieces=(b"event: error\ndata: boom\n\n",), end=End.CUT), "boom"),
        (Reply(pieces=(*GOOD.pieces[:4], b'data: {"error": "boom"}\n\n', b"data: [DONE]\n\n")), "boom"),
    ],
)
def test_what_is_no_answer_is_said_in_one_line_and_not_retried(reply: Reply, said: str) -> None:
    with ScriptedServer([reply, GOOD]) as server:
        assert said in failure(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("end", [End.CUT, End.HOLD])
def test_a_refusal_whose_body_has_no_end(end: End, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "REFUSAL_BODY_S", 1.0)
    began_s = time.monotonic()
    with ScriptedServer(replace(refusal(500, b"half"), framing=Framing.CHUNKED, end=end)) as server:
        assert "HTTP 500; it said 'half'" in failure(server, timeouts=Timeouts(read_idle_s=LONG_S, total_s=LONG_S))
    assert time.monotonic() - began_s < LONG_S / 4


def test_invalid_utf8_in_the_answer() -> None:
    pieces = tuple(each.replace(b"two", b"t\xe2\x82o") for each in GOOD.pieces)
    with ScriptedServer(replace(GOOD, pieces=pieces)) as server:
        assert ask(server.url).content == ANSWER.replace("two", "t\ufffdo")


def test_refused() -> None:
    with (
        refusing_url() as url,
        pytest.raises(EndpointError, match=r"cannot connect.*running there.*gave up after 4 attempts"),
    ):
        ask(url)


def test_an_answer_without_end() -> None:
    with ScriptedServer(streamed("a " * 2000)) as server:
        assert "longer than 10000 bytes" in failure(server, max_body_bytes=10_000)


@pytest.mark.parametrize("url", ["", "ftp://host/v1", "http://[::1/v1", "http://host:port/v1", "http:///v1"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(EndpointError) as caught:
        ask(url)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("extra", [{"a": {1, 2}}, {"a": float("nan")}])
def test_an_extra_body_that_is_no_json(extra: dict[str, Any]) -> None:
    async def run() -> Exchange:
        async with open_client(Timeouts()) as http:
            return await complete(http, endpoint("http://127.0.0.1:9/v1", extra_body=extra), "Why?")

    with pytest.raises(EndpointError, match="extra_body"):
        asyncio.run(run())


@pytest.mark.parametrize("key", ["sk-sécret", "sk-secret\n", "sk secret"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with ScriptedServer(GOOD) as server, pytest.raises(EndpointError, match="the API key holds") as caught:
        ask(server.url, api_key=key)
    assert key.strip() not in str(caught.value)
    assert not server.requests


def test_a_password_in_the_url_is_not_shown() -> None:
    with ScriptedServer(refusal(500)) as server, pytest.raises(EndpointError) as caught:
        ask(server.url.replace("//", "//user:password@"))
    assert "password" not in str(caught.value)


def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://user:password@host:1")
    with pytest.raises(EndpointError, match="HTTP_PROXY") as caught:
        open_client(Timeouts())
    assert "password" not in str(caught.value)


def test_times_are_the_servers_own() -> None:
    """The server's log of its writes is the truth; who counts wrongly is off each time, and who is held up now and then."""
    script = streamed("a b c d", reasoning="x y", pause_s=0.1)
    worst_s: list[float] = []
    while not worst_s or (worst_s[-1] > 0.06 and len(worst_s) < 10):
        with ScriptedServer(script) as server:
            timing = ask(server.url).timing
        (request,) = server.requests
        wrote_s = {write.piece: write.at_s - request.arrived_at_s for write in server.writes}
        _, first, _, answer, *_, last, _, _, _ = (wrote_s[piece] for piece in script.pieces)
        seen = (timing.ttft_s, timing.ttft_answer_s, timing.last_token_s)
        worst_s.append(max(abs((mine or 0.0) - true) for mine, true in zip(seen, (first, answer, last), strict=True)))
        assert timing.ttft_s is not None
        assert timing.ttft_answer_s is not None
        assert timing.last_token_s is not None
        assert timing.e2e_s is not None
        assert timing.ttft_s <= timing.ttft_answer_s <= timing.last_token_s < timing.e2e_s
        assert timing.text_chunks == 6
    assert worst_s[-1] <= 0.06, worst_s


class SlowToConnect(httpx.AsyncHTTPTransport):
    """Lets an hour pass on the client's clock before anything is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_s = 0.0

    def clock(self) -> float:
        return time.monotonic() + self.passed_s

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.passed_s += 3600
        return await super().handle_async_request(request)


def test_connecting_is_not_charged_to_the_server() -> None:
    async def run(url: str) -> Exchange:
        transport = SlowToConnect()
        async with httpx.AsyncClient(transport=transport) as http:
            return await complete(http, endpoint(url), "Why?", clock=transport.clock)

    with ScriptedServer([RESET, GOOD]) as server:
        exchange = asyncio.run(run(server.url))
    assert exchange.timing.ttft_s is not None
    assert 0 < exchange.timing.ttft_s < 600


def test_a_transport_that_does_not_tell_when_it_has_sent() -> None:
    async def run() -> Exchange:
        answer = httpx.Response(200, stream=httpx.ByteStream(b"".join(GOOD.pieces)))
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as http:
            return await complete(http, endpoint("http://host/v1"), "Why?")

    ttft_s = asyncio.run(run()).timing.ttft_s
    assert ttft_s is not None
    assert 0 <= ttft_s < time.monotonic() / 2
