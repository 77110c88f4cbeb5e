"""Which transport a request takes: the recorder wherever it can, httpx's own for TLS and through proxies."""

from __future__ import annotations

import ipaddress
import select
from collections.abc import Mapping
from urllib.request import getproxies

import httpx

from pytest_llmbench.client.recorder.transport import RecorderTransport

_CAN_RECORD = hasattr(select, "epoll")
"""Linux; elsewhere httpx serves for all."""

_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=None)
"""The caller bounds what is in flight; a second bound here would hide waiting from every clock."""


class DirectTransport(httpx.AsyncBaseTransport):
    """For requests that no proxy takes."""

    def __init__(self) -> None:
        self._recorder = RecorderTransport()
        self._stock: httpx.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request by the recorder if it is plain HTTP, and otherwise by httpx."""
        if _CAN_RECORD and request.url.scheme == "http":
            return await self._recorder.handle_async_request(request)
        if self._stock is None:  # made late: loading the certificates takes longer than most connections do
            self._stock = httpx.AsyncHTTPTransport(limits=_LIMITS)
        return await self._stock.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._recorder.aclose()
        if self._stock is not None:
            await self._stock.aclose()


def proxy_mounts() -> dict[str, httpx.AsyncBaseTransport | None]:
    """Return the transports of the proxies that the environment names, by the patterns of httpx's `mounts`.

    Raises:
        ValueError: a proxy that cannot be used; so do ImportError and httpx.InvalidURL.
    """
    proxies = proxies_by_pattern(getproxies())
    if not any(proxies.values()):
        return {}
    context = httpx.create_ssl_context()
    return {
        pattern: None if proxy is None else httpx.AsyncHTTPTransport(verify=context, proxy=proxy, limits=_LIMITS)
        for pattern, proxy in proxies.items()
    }


def proxies_by_pattern(found: Mapping[str, str]) -> dict[str, str | None]:
    """Return which proxy serves which URLs, None for no proxy, by the rules that httpx has for its environment.

    Args:
        found: by scheme, and under `no` the hosts that are asked without a proxy.
    """
    exceptions = [host for part in found.get("no", "").split(",") if (host := part.strip())]
    if "*" in exceptions:
        return {}
    named = {scheme: proxy for scheme in ("http", "https", "all") if (proxy := found.get(scheme))}
    proxies: dict[str, str | None] = {
        f"{scheme}://": proxy if "://" in proxy else f"http://{proxy}" for scheme, proxy in named.items()
    }
    return proxies | dict.fromkeys(map(_pattern, exceptions))


def _pattern(host: str) -> str:
    if "://" in host:
        return host
    if host.lower() == "localhost":
        return f"all://{host}"
    try:
        address = ipaddress.ip_address(host.partition("/")[0])
    except ValueError:
        return f"all://*{host}"  # the host and all below it
    return f"all://[{host}]" if address.version == 6 else f"all://{host}"  # noqa: PLR2004 (IPv6)
