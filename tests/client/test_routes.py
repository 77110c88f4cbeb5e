from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
import pytest

from pytest_llmbench.client import RetryPolicy, Timeouts, complete, open_client
from pytest_llmbench.client.routes import DirectTransport, proxies_by_pattern
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.endpoint import Endpoint
from tests.client.scripted_server import HANGUP, MODEL, ScriptedServer, streamed

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def transport_to(url: str, *, direct: bool = False) -> str | None:
    async def ask() -> str | None:
        async with open_client(Timeouts(), direct=direct) as http:
            return (await complete(http, Endpoint(name="new", url=url, model=MODEL), "Why?")).transport

    return asyncio.run(ask())


def test_plain_http_is_recorded() -> None:
    with ScriptedServer(streamed("a")) as server:
        assert transport_to(server.url) == "recorder"


def test_a_proxy_is_asked_by_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def answer(_: httpx.AsyncHTTPTransport, request: httpx.Request) -> None:
        seen.append(str(request.url))
        raise httpx.ProxyError("seen")

    monkeypatch.setenv("HTTP_PROXY", "127.0.0.1:9")
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer)
    with ScriptedServer(streamed("a")) as server, pytest.raises(Exception, match="ProxyError"):
        transport_to(server.url)
    assert len(seen) == 1


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "*", "example.com, 127.0.0.1", "all://127.0.0.1"])
@pytest.mark.parametrize("proxy", ["HTTP_PROXY", "ALL_PROXY"])
def test_a_host_that_needs_no_proxy_is_recorded(proxy: str, no_proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    with ScriptedServer(streamed("a")) as server:
        assert transport_to(server.url) == "recorder"


def test_our_own_server_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with ScriptedServer(streamed("a")) as server:
        assert transport_to(server.url, direct=True) == "recorder"


def test_a_proxy_for_tls_does_not_take_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with ScriptedServer(streamed("a")) as server:
        assert transport_to(server.url) == "recorder"


def test_tls_is_left_to_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(_: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, request=request)

    async def ask() -> int:
        async with httpx.AsyncClient(transport=DirectTransport()) as http:
            return (await http.get("https://host.example/")).status_code

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", answer)
    assert asyncio.run(ask()) == 200


ENVIRONMENTS: dict[str, Mapping[str, str]] = {
    "nothing": {},
    "all": {"http": "http://a:1", "https": "https://b:2", "all": "http://c:3"},
    "without a scheme": {"http": "a:1"},
    "not ours": {"ftp": "http://a:1", "gopher": "b"},
    "empty": {"http": "", "no": ""},
    "nothing with a proxy": {"http": "http://a:1", "no": "x, *"},
    "exceptions": {"http": "http://a:1", "no": "localhost, 127.0.0.1,10.0.0.0/8,::1,example.com,.example.org, http://h:1,,LOCALHOST"},
}  # fmt: skip


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_rules_are_those_of_httpx(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of models come by httpx's own client: both must agree on who is asked through whom."""
    found = ENVIRONMENTS[name]
    for scheme, value in found.items():
        monkeypatch.setenv(f"{scheme}_proxy", value)
    with httpx.Client() as stock:
        wanted = {pattern.pattern: proxy is not None for pattern, proxy in stock._mounts.items()}
    assert {pattern: proxy is not None for pattern, proxy in proxies_by_pattern(found).items()} == wanted


def test_a_kept_connection_that_the_server_gives_up_under_a_request_costs_no_answer() -> None:
    async def ask_twice(url: str) -> list[str]:
        endpoint = Endpoint(name="new", url=url, model=MODEL)
        async with open_client(Timeouts()) as http:
            return [(await complete(http, endpoint, "Why?", policy=RetryPolicy(attempts=1))).content for _ in range(2)]

    with ScriptedServer([streamed("a"), HANGUP, streamed("b")]) as server:
        assert asyncio.run(ask_twice(server.url)) == ["a", "b"]
        assert len(server.requests) == 3
    with ScriptedServer([HANGUP, streamed("a")]) as server, pytest.raises(EndpointError, match="connection broke"):
        asyncio.run(ask_twice(server.url))  # a new connection has no such excuse
