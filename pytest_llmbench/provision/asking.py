"""Short questions to a server about itself; what gives no good answer gives none, and raises nothing."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from pytest_llmbench.client.call import request_headers
from pytest_llmbench.client.faults import Site
from pytest_llmbench.errors import EndpointError

CONNECT_S = 2.0
READ_S = 5.0
TOTAL_S = 10.0
MAX_BYTES = 8 * 1024 * 1024


def ask_json(url: str, api_key: str | None = None, *, by_proxy: bool = False) -> Any | None:
    """Return the JSON that lies there; None if none does.

    Args:
        url: asked with GET.
        api_key: sent as bearer token.
        by_proxy: whether HTTP_PROXY and its like hold; not for servers on this machine.
    """
    text = ask_text(url, api_key, by_proxy=by_proxy)
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None


def ask_text(url: str, api_key: str | None = None, *, by_proxy: bool = False) -> str | None:
    """Return the text that lies there, with the same arguments."""
    deadline_s = time.monotonic() + TOTAL_S
    body = b""
    try:
        with (
            httpx.Client(timeout=httpx.Timeout(READ_S, connect=CONNECT_S), trust_env=by_proxy) as http,
            http.stream("GET", url, headers=request_headers(Site(url, api_key))) as response,
        ):
            for data in response.iter_bytes():
                body += data
                if len(body) > MAX_BYTES or time.monotonic() > deadline_s:
                    return None
            return body.decode("utf-8", "replace") if response.status_code == httpx.codes.OK else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError, EndpointError):
        return None
