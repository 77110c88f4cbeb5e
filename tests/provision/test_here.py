from __future__ import annotations

import os
import socket
from types import SimpleNamespace

import psutil
import pytest

from pytest_llmbench.provision import here
from pytest_llmbench.provision.here import find_here
from tests.provision.pages import pages


def test_a_server_of_this_machine() -> None:
    with pages({}) as server:
        port = server.root.rpartition(":")[2]
        for host in ("127.0.0.1", "localhost", "127.8.8.8"):
            found = find_here(f"http://{host}:{port}/v1")
            assert found is not None
            assert found.process is not None
            assert found.process.pid == os.getpid()
            assert found.env == psutil.Process().environ()


def test_an_address_of_this_machine_in_its_network() -> None:
    own = [each.address for faces in psutil.net_if_addrs().values() for each in faces if each.family == socket.AF_INET]
    assert own
    assert all(find_here(f"http://{address}:8000/v1") for address in own)


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1:8000/v1", "http://host.invalid/v1", "https://[2001:db8::1]/v1", "http:///v1"]
)
def test_a_server_elsewhere(url: str) -> None:
    assert find_here(url) is None


def test_what_listens_for_a_server_that_may_be_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with pages({}) as server:
        tunnel = SimpleNamespace(name=lambda: "ssh")
        monkeypatch.setattr(here, "_listener", lambda _: tunnel)  # a real tunnel wants a second machine
        assert find_here(server.root) is None


def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        found = find_here(f"http://127.0.0.1:{bound.getsockname()[1]}")
    assert found is not None
    assert (found.process, found.env) == (None, {})
