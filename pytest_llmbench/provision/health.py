"""Whether a server serves: its health endpoint answers, and then one generation comes back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from pytest_llmbench import client
from pytest_llmbench.client.call import request_headers
from pytest_llmbench.client.faults import Site
from pytest_llmbench.client.retry import TryAgainError
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.model.endpoint import Endpoint

PATIENCE_S = 5.0
"""For one look at its health; a server that is busy with its weights may take a connection and forget it."""
POLL_S = 0.05
POLL_SHARE = 20
"""The longer it has been loading, the less often we look: every twentieth of that time …"""
POLL_SLOWEST_S = 1.0
"""… but this often at least."""
LIST_S = 60.0
_KEY_REFUSED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
WARM_UP = "Say OK."
WARM_UP_TOKENS = 8
_LENGTH_FIELDS = frozenset(
    {"max_tokens", "max_completion_tokens", "max_new_tokens", "n_predict", "min_tokens", "ignore_eos"}
)

_WEEK_S = 7 * 24 * 3600.0
_PATIENT = client.Timeouts(connect_s=PATIENCE_S, read_idle_s=_WEEK_S, total_s=_WEEK_S)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server is asked, and for what."""

    endpoint: Endpoint
    """Its URL is that of the API; without a model, the first one that the server lists is asked."""
    health_url: str
    api_key: str | None


@dataclass(slots=True)
class Seen:
    """How far it has come; changes while `first_answer` waits."""

    is_up: bool = False
    """Whether the health endpoint has answered with 200."""
    said: str = "not asked"
    """What the health endpoint came to last, for a message."""


@dataclass(frozen=True, slots=True)
class _WhileLoading(client.RetryPolicy):
    """Asks again for as long as the server says that it is busy; one that breaks the connection is not loading."""

    attempts: int = 1_000_000
    wait_initial_s: float = 0.2
    wait_max_s: float = 2.0
    retry_after_max_s: float = _WEEK_S

    def pause(self, error: Exception) -> bool | float:
        """See `RetryPolicy.pause`."""
        if isinstance(error, TryAgainError) and error.__cause__ is not None:
            return False
        return client.RetryPolicy.pause(self, error)


async def first_answer(place: Place, seen: Seen) -> str:
    """Wait until the server has answered one prompt; return the model that did.

    It waits for as long as it is let, and may be cancelled at any point: health that is fine before the model is loaded
    is no reason for less patience with the answer.

    Args:
        place: whom to ask.
        seen: takes how far it is.

    Raises:
        EndpointError: it is up, but gives no answer.
    """
    async with _our_own_client() as http:
        await _until_up(http, place, seen)
        model = place.endpoint.model or await _first_model(http, place)
        await _generate(http, place, model)
    return model


async def is_well(health_url: str, api_key: str | None) -> bool:
    """Look once whether a server that was up still is; one that takes `PATIENCE_S` to say so is not."""
    try:
        async with _our_own_client() as http:
            headers = request_headers(Site(health_url, api_key))
            answer = await http.get(health_url, headers=headers, timeout=PATIENCE_S)
    except (httpx.HTTPError, EndpointError):
        return False
    return answer.status_code == httpx.codes.OK


def _our_own_client() -> httpx.AsyncClient:
    # Never through a proxy: it is our own child. And never by TLS, whose certificates take long to load.
    return httpx.AsyncClient(trust_env=False, verify=False)  # noqa: S501


async def _until_up(http: httpx.AsyncClient, place: Place, seen: Seen) -> None:
    site = Site(place.health_url, place.api_key)
    headers = request_headers(site)
    began_s = time.monotonic()
    while not seen.is_up:
        seen.said = "no answer"  # should our caller's time end before the look does
        try:
            answer = await http.get(place.health_url, headers=headers, timeout=PATIENCE_S)
            seen.said = f"HTTP {answer.status_code}"
            seen.is_up = answer.status_code == httpx.codes.OK
            if answer.status_code in _KEY_REFUSED:  # waiting changes nothing
                raise EndpointError(site.refusal(answer.status_code, answer.content))
        except httpx.ConnectError:
            seen.said = "no connection"
        except httpx.TimeoutException:
            seen.said = f"no answer within {PATIENCE_S:g} s"
        except httpx.HTTPError as error:
            seen.said = f"no answer ({type(error).__name__}: {error})"
        if not seen.is_up:
            waited_s = time.monotonic() - began_s
            await asyncio.sleep(min(POLL_SLOWEST_S, max(POLL_S, waited_s / POLL_SHARE)))


async def _first_model(http: httpx.AsyncClient, place: Place) -> str:
    site = Site(f"{place.endpoint.url}/models", place.api_key)
    try:
        answer = await http.get(site.url, headers=request_headers(site), timeout=LIST_S)
    except httpx.HTTPError as error:
        raise site.error(f"no list of models ({type(error).__name__}: {error})") from error
    if answer.status_code != httpx.codes.OK:
        raise EndpointError(site.refusal(answer.status_code, answer.content))
    try:
        model: Any = json.loads(answer.content)["data"][0]["id"]
    except (ValueError, LookupError, TypeError) as error:
        said = site.quote(answer.content)
        raise site.error(f"wanted a list of at least one model, got {said}; name the model") from error
    return str(model)


async def _generate(http: httpx.AsyncClient, place: Place, model: str) -> None:
    endpoint = replace(
        place.endpoint,
        model=model,
        sampling=replace(place.endpoint.sampling, max_tokens=WARM_UP_TOKENS),
        extra_body=_short(place.endpoint.extra_body),
    )
    exchange = await client.complete(
        http, endpoint, WARM_UP, api_key=place.api_key, timeouts=_PATIENT, policy=_WhileLoading()
    )
    if not _holds_something(exchange):
        raise EndpointError(f"{endpoint.url}: the answer to its first prompt holds nothing, no text and no reasoning")


def _short(extra_body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what the user set for long answers."""
    return {name: value for name, value in extra_body.items() if name not in _LENGTH_FIELDS}


def _holds_something(exchange: Exchange) -> bool:
    # A model may begin with tokens that show no text; a server that counted them has generated.
    return bool(exchange.content or exchange.reasoning or exchange.chunks or exchange.usage.completion_tokens)
