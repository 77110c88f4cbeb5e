"""Whether a server says that it is up."""

from __future__ import annotations

import httpx

PATIENCE_S = 5.0


def is_up(url: str) -> bool:
    """Return whether the URL answers with 200."""
    try:
        # Never through a proxy: it is our own child.
        with httpx.Client(timeout=PATIENCE_S, trust_env=False) as http:
            return http.get(url).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
