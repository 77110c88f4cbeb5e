"""Which models an endpoint serves."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from pytest_llmbench.client.call import request_headers
from pytest_llmbench.client.faults import Site
from pytest_llmbench.client.timeouts import MODEL_LIST, Timeouts
from pytest_llmbench.errors import EndpointError

MAX_LIST_BYTES = 8 * 1024 * 1024


def list_models(url: str, api_key: str | None = None, timeouts: Timeouts = MODEL_LIST) -> tuple[str, ...]:
    """Return the ids that `{url}/models` lists, in its order; perhaps none.

    Args:
        url: base URL of the API, up to and including `/v1`.
        api_key: sent as bearer token.
        timeouts: bounds of the one attempt.

    Raises:
        EndpointError: there is no such list.
    """
    site = Site(f"{url.rstrip('/')}/models", api_key)
    body = _get(site, timeouts)
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise site.error(
            f"wanted a list of models in JSON, got {site.quote(body)}; the base URL should end in /v1"
        ) from None
    entries = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        raise site.error(
            f"wanted JSON with a list under `data`, got {site.quote(body)}; the base URL should end in /v1"
        )
    return tuple(entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str))


def _get(site: Site, timeouts: Timeouts) -> bytes:
    wait = httpx.Timeout(timeouts.read_idle_s, connect=timeouts.connect_s)
    deadline_s = time.monotonic() + timeouts.total_s
    body = b""
    try:
        with httpx.stream("GET", site.url, headers=request_headers(site), timeout=wait) as response:
            for data in response.iter_bytes():
                body += data
                if time.monotonic() > deadline_s:
                    raise site.error(
                        f"the list of models did not end within {timeouts.total_s:g} s; see the server's log"
                    )
                if len(body) > MAX_LIST_BYTES:
                    raise site.error(
                        f"the list of models is longer than {MAX_LIST_BYTES} bytes; is this the right URL?"
                    )
            if response.status_code != httpx.codes.OK:
                raise EndpointError(site.refusal(response.status_code, body, response.headers.get("location")))
    except httpx.ConnectTimeout as error:
        text = f"no connection within {timeouts.connect_s:g} s; is the host up, and is no firewall in between?"
        raise site.error(text) from error
    except httpx.ConnectError as error:
        raise site.error(f"cannot connect ({error}); is the server running there?") from error
    except httpx.TimeoutException as error:
        text = f"connected, but no list of models within {timeouts.read_idle_s:g} s; is the server stuck or overloaded?"
        raise site.error(text) from error
    except httpx.HTTPError as error:
        raise site.error(f"no list of models ({type(error).__name__}: {error})") from error
    except (httpx.InvalidURL, ValueError, ImportError) as error:
        raise site.error(f"cannot be asked ({type(error).__name__}); see the URL and HTTP_PROXY") from error
    return body
