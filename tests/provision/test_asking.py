from __future__ import annotations

import threading
from typing import Any

import pytest

from pytest_llmbench.provision import asking
from pytest_llmbench.provision.asking import ask_json, ask_text
from tests.client.scripted_server import refusing_url
from tests.provision.pages import pages


def test_an_answer_and_the_key() -> None:
    with pages({"/props": {"a": [1]}, "/metrics": b"x 1\n"}) as server:
        assert ask_json(f"{server.root}/props", "sk-1") == {"a": [1]}
        assert ask_text(f"{server.root}/metrics") == "x 1\n"
    assert server.asked == [("/props", "Bearer sk-1"), ("/metrics", None)]


@pytest.mark.parametrize("page", [404, 500, 503, b"", b"<html>", b"{", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_good_answer_is_none(page: Any) -> None:
    with pages({"/props": page}) as server:
        assert ask_json(f"{server.root}/props") is None


def test_a_key_that_no_header_can_hold_asks_nobody() -> None:
    with pages({"/props": b"{}"}) as server:
        assert ask_json(f"{server.root}/props", "sk-1\r") is None
    assert server.asked == []


def test_nobody_there() -> None:
    with refusing_url() as url:
        assert ask_json(url) is None
    for url in ("http://[", "ftp://host/x", "http://host.invalid/x", ""):
        assert ask_text(url) is None


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "READ_S", 0.1)
    never = threading.Event()
    with pages({"/props": never}) as server:
        assert ask_json(f"{server.root}/props") is None
        never.set()


def test_what_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_BYTES", 1000)
    with pages({"/props": b" " * 1001}) as server:
        assert ask_text(f"{server.root}/props") is None


def test_a_server_on_this_machine_is_not_asked_by_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing_url() as proxy, pages({"/props": {"a": 1}}) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert ask_json(f"{server.root}/props") == {"a": 1}
        assert ask_json(f"{server.root}/props", by_proxy=True) is None
