"""Whether a server that somebody else started runs on this machine, and as which process."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

_FORWARDERS = frozenset(
    {"ssh", "sshd", "autossh", "kubectl", "socat", "nginx", "haproxy", "envoy", "caddy", "traefik", "litellm"}
)
"""Programs that listen here for a server that may be anywhere."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Here:
    """A server on this machine."""

    process: psutil.Process | None
    """The one that listens; None if it cannot be seen."""

    @property
    def env(self) -> Mapping[str, str]:
        """Its variables; none where they are not for us to see."""
        with suppress(psutil.Error, OSError):
            return self.process.environ() if self.process else {}
        return {}


def find_here(url: str) -> Here | None:
    """Return the server behind a URL; None if it is not on this machine, or a tunnel or proxy may take us elsewhere."""
    parts = urlsplit(url)
    own = {address.address for each in psutil.net_if_addrs().values() for address in each}
    if not any(_is_loopback(address) or address in own for address in _addresses(parts.hostname or "")):
        return None
    with suppress(psutil.Error):
        process = _listener(parts.port or _PORTS.get(parts.scheme))
        return None if process is not None and process.name() in _FORWARDERS else Here(process)
    return None  # it has just ended


def _listener(port: int | None) -> psutil.Process | None:
    with suppress(OSError, psutil.AccessDenied):
        for found in psutil.net_connections("tcp"):
            if found.status == psutil.CONN_LISTEN and found.laddr and found.laddr.port == port and found.pid:
                return psutil.Process(found.pid)
    return None


def _addresses(host: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return set()


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
