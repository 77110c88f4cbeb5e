"""Which port a server gets, whether it is free, and who has it if not."""

from __future__ import annotations

import errno
import itertools
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

LOWEST = 20_000
SHOWN_CHARS = 80
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - users write it, we look it up
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")

_given: set[int] = set()
_giving = threading.Lock()


def free_port(host: str) -> int:
    """Return a port that nothing listens on, and that this process has not had before.

    It lies below those that the kernel gives to outgoing connections: a server may take minutes until it binds it.

    Raises:
        OSError: none is free.
    """
    with _giving:
        for port in _candidates():
            if port not in _given and not is_taken(host, port):
                _given.add(port)
                return port
    raise OSError(errno.EADDRINUSE, f"no port is free on {host}")


def _candidates() -> Iterator[int]:
    try:
        end = int(_EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        end = 32_768
    # A host may have set this range to nearly all ports; then there is no better place.
    ports = range(LOWEST, end) if end > LOWEST else range(LOWEST, 65_536)
    start = random.randrange(len(ports))  # noqa: S311 - no secret; two runs should not begin at the same one
    return itertools.chain(ports[start:], ports[:start])


def is_taken(host: str, port: int) -> bool:
    """Whether a server could not listen there, as another does.

    A host that is not of this machine, or a port that needs rights, is not taken: the server says that better.
    """
    return any(_is_bound(family, address) for family, address in _addresses(host, port))


def holder(host: str, port: int) -> str | None:
    """Return who listens there, such as `llama-server (pid 123: llama-server -m x.gguf)`; None if we may not know."""
    wanted = [address for _, (address, _) in _addresses(host, port)]
    with suppress(psutil.Error, OSError):
        for found in psutil.net_connections("tcp"):
            if found.status != psutil.CONN_LISTEN or not found.laddr or found.pid is None:
                continue
            if found.laddr.port == port and any(_overlap(found.laddr.ip, address) for address in wanted):
                return _described(psutil.Process(found.pid))
    return None


def _overlap(one: str, other: str) -> bool:
    # A socket on :: takes IPv4 too, unless it was told otherwise.
    return one == other or "::" in {one, other} or ("0.0.0.0" in {one, other} and ":" not in one + other)  # noqa: S104


def _described(process: psutil.Process) -> str:
    name = process.name()
    try:
        words = itertools.takewhile(lambda word: not word.startswith("--"), process.cmdline())
        command = " ".join(words)  # what follows may be an API key
    except psutil.Error:
        command = ""
    shown = f"{command[:SHOWN_CHARS]}…" if len(command) > SHOWN_CHARS else command
    return f"{name} (pid {process.pid}: {shown})" if shown else f"{name} (pid {process.pid})"


def root_url(host: str, port: int) -> str:
    """Return the URL at which this machine reaches a server that listens there."""
    reached = _EVERYWHERE.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        return []
    return [(family, (str(address[0]), port)) for family, _, _, _, address in found]


def _is_bound(family: socket.AddressFamily, address: tuple[str, int]) -> bool:
    try:
        probe = socket.socket(family)
    except OSError:  # no IPv6 here
        return False
    with probe:
        # As servers do: connections that have ended, but are still remembered (TIME_WAIT), keep nobody out.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
