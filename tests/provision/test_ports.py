from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_llmbench.provision.ports import free_port, holder, is_taken, root_url

HAS_IPV6 = socket.has_ipv6 and Path("/proc/net/if_inet6").exists() and Path("/proc/net/if_inet6").read_text() != ""
needs_ipv6 = pytest.mark.skipif(not HAS_IPV6, reason="the kernel of this machine has no IPv6 address")
EVERYWHERE = "0.0.0.0"  # noqa: S104


@contextmanager
def listening(host: str, port: int = 0) -> Iterator[int]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("listens_on", "wanted"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "localhost"),
        ("127.0.0.1", EVERYWHERE),
        ("127.0.0.1", ""),
        (EVERYWHERE, "127.0.0.1"),
        (EVERYWHERE, EVERYWHERE),
        pytest.param("::1", "::1", marks=needs_ipv6),
        pytest.param("::1", "::", marks=needs_ipv6),
        pytest.param("::", "::1", marks=needs_ipv6),
    ],
)
def test_a_port_that_a_server_could_not_have_is_taken_and_its_holder_known(listens_on: str, wanted: str) -> None:
    with listening(listens_on) as port:
        assert is_taken(wanted, port)
        assert f"(pid {os.getpid()}: " in (holder(wanted, port) or "")
    assert not is_taken(wanted, port)
    assert holder(wanted, port) is None


@pytest.mark.parametrize(
    ("listens_on", "wanted"),
    [
        ("127.0.0.2", "127.0.0.1"),
        pytest.param("::1", "127.0.0.1", marks=needs_ipv6),
        pytest.param("127.0.0.1", "::1", marks=needs_ipv6),
    ],
)
def test_who_listens_on_another_address_does_not_matter(listens_on: str, wanted: str) -> None:
    with listening(listens_on) as port:
        assert not is_taken(wanted, port)
        assert holder(wanted, port) is None


@needs_ipv6
def test_a_listener_for_both_families_takes_both() -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        port = listener.getsockname()[1]
        assert is_taken("127.0.0.1", port)
        assert f"(pid {os.getpid()}: " in (holder("127.0.0.1", port) or "")


def test_a_connection_that_is_still_remembered_takes_no_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        theirs = socket.create_connection(("127.0.0.1", port))
        ours, _ = listener.accept()
        ours.close()  # first, so that the server's side is the one that remembers
        assert theirs.recv(1) == b""
        theirs.close()
    with socket.socket() as strict, pytest.raises(OSError, match="in use"):
        strict.bind(("127.0.0.1", port))  # it is remembered
    assert not is_taken("127.0.0.1", port)


@pytest.mark.parametrize("host", ["203.0.113.1", "nonesuch.invalid"])
def test_a_host_that_is_not_ours_is_for_the_server_to_complain_of(host: str) -> None:
    assert not is_taken(host, 8000)
    assert holder(host, 8000) is None


def test_free_ports_are_free_and_different_and_below_those_of_outgoing_connections() -> None:
    ports = [free_port("127.0.0.1") for _ in range(50)]
    assert len(set(ports)) == 50
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert first_outgoing <= 20_000 or max(ports) < first_outgoing
    for port in ports:
        with listening("127.0.0.1", port):
            assert is_taken("127.0.0.1", port)


def test_the_holder_is_described_without_what_may_be_a_key() -> None:
    program = (
        "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    )
    command = [sys.executable, "-c", program, "serve", "--api-key", "sk-secret"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        described = holder("127.0.0.1", int(process.stdout.readline()))
        process.communicate("")
    assert described is not None
    assert f"(pid {process.pid}: {sys.executable} -c import socket" in described
    assert "sk-" not in described


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        (EVERYWHERE, "http://127.0.0.1:8000"),
        ("", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("localhost", "http://localhost:8000"),
        ("10.1.2.3", "http://10.1.2.3:8000"),
    ],
)
def test_where_a_server_is_reached(host: str, url: str) -> None:
    assert root_url(host, 8000) == url
