from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_llmbench.client import Timeouts, list_models, models
from pytest_llmbench.errors import EndpointError
from tests.client.scripted_server import (
    HANGUP,
    RESET,
    SILENCE,
    Reply,
    ScriptedServer,
    page,
    refusal,
    refusing_url,
    streamed,
)

ANY = streamed("unused")


def listing(body: Mapping[str, Any]) -> Reply:
    return page(json.dumps(body).encode(), "application/json")


def failure(reply: Reply, timeouts: Timeouts = Timeouts(), key: str | None = None) -> str:  # noqa: B008 (frozen)
    with ScriptedServer(ANY, models_reply=reply) as server, pytest.raises(EndpointError) as caught:
        list_models(server.url, key, timeouts)
    text = str(caught.value)
    assert text.startswith(f"{server.url}/models: ")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("ending", ["", "/", "//"])
def test_models_in_the_servers_order(ending: str) -> None:
    with ScriptedServer(ANY, models=("b", "a", "org/c")) as server:
        assert list_models(server.url + ending) == ("b", "a", "org/c")
        assert "authorization" not in server.lookups[0]


def test_the_key_is_sent() -> None:
    with ScriptedServer(ANY) as server:
        list_models(server.url, "sk-secret")
        assert server.lookups[0]["authorization"] == "Bearer sk-secret"


def test_no_models() -> None:
    with ScriptedServer(ANY, models=()) as server:
        assert list_models(server.url) == ()


def test_entries_that_name_no_model_are_left_out() -> None:
    with ScriptedServer(ANY, models_reply=listing({"data": [7, {}, {"id": None}, {"id": "a"}]})) as server:
        assert list_models(server.url) == ("a",)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (refusal(404, {"detail": "Not Found"}), "HTTP 404; it said 'Not Found'; the base URL should end in /v1"),
        (refusal(401, {"error": {"message": "no key"}}), "HTTP 401; it said 'no key'; set api_key_env"),
        (refusal(403), "HTTP 403; its body was empty; set api_key_env"),
        (refusal(503, {"error": {"message": "Loading model"}}), "'Loading model'"),
        (refusal(500, b"<h1>Oops</h1>"), "'<h1>Oops</h1>'"),
        (refusal(302, location="/login"), "HTTP 302 to '/login'; redirects are not followed"),
        (page(), "'<!doctype html><title>Welcome</title>'; the base URL should end in /v1"),
        (listing({"models": []}), "a list under `data`"),
        (listing({"data": None}), "a list under `data`"),
        (page(b"[]", "application/json"), "a list under `data`"),
        (page(b"", "application/json"), "got ''"),
        (RESET, "no list of models"),
        (HANGUP, "no list of models"),
    ],
)
def test_what_is_no_list(reply: Reply, said: str) -> None:
    assert said in failure(reply)


def test_refused() -> None:
    with refusing_url() as url, pytest.raises(EndpointError, match=r"cannot connect.*is the server running there"):
        list_models(url)


def test_silence() -> None:
    assert "within 0.1 s" in failure(SILENCE, Timeouts(read_idle_s=0.1))


def test_a_list_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    drip = Reply(pieces=(b" ",) * 200, content_type="application/json", pause_s=0.02)
    assert "did not end within 1 s" in failure(drip, Timeouts(total_s=1.0))
    monkeypatch.setattr(models, "MAX_LIST_BYTES", 100)
    assert "longer than 100 bytes" in failure(page(b" " * 200, "application/json"))


@pytest.mark.parametrize("url", ["", "ftp://host/v1", "http://[::1/v1", "http://host:port/v1", "http:///v1"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(EndpointError):
        list_models(url)


@pytest.mark.parametrize("key", ["sk-sécret", "sk-secret\n", "sk secret"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(EndpointError, match="the API key holds") as caught:
        list_models("http://127.0.0.1:9/v1", key)
    assert key.strip() not in str(caught.value)


def test_a_key_that_the_server_repeats_is_not_shown() -> None:
    text = failure(refusal(401, {"error": {"message": "no such key: sk-secret!"}}), key="sk-secret")
    assert "no such key: ***!" in text
