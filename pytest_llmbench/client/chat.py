"""One streaming chat completion over HTTP, from prompt to `Exchange`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict, Unpack

import httpx

from pytest_llmbench.client.call import Call, httpx_timeout
from pytest_llmbench.client.faults import Site
from pytest_llmbench.client.glimpse import Onlooker
from pytest_llmbench.client.record import MAX_BODY_BYTES
from pytest_llmbench.client.retry import RetryPolicy, with_retries
from pytest_llmbench.client.routes import DirectTransport, proxy_mounts
from pytest_llmbench.client.stream import Recording, fold
from pytest_llmbench.client.timeouts import Timeouts
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.model.endpoint import Endpoint


def build_body(endpoint: Endpoint, prompt: str) -> dict[str, Any]:
    """Return the JSON body of the request; `extra_body` wins by key."""
    sampling = endpoint.sampling
    body: dict[str, Any] = {
        "model": endpoint.model,
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "max_tokens": sampling.max_tokens,
        "seed": sampling.seed,
    }
    return {name: value for name, value in body.items() if value is not None} | dict(endpoint.extra_body)


def open_client(timeouts: Timeouts, *, direct: bool = False) -> httpx.AsyncClient:
    """Open the client that `complete` needs; close it with `async with`.

    Args:
        timeouts: of its requests.
        direct: for a server that we started ourselves: no proxy that the environment names takes its requests.

    Raises:
        EndpointError: the environment names a proxy that cannot be used.
    """
    try:
        return httpx.AsyncClient(
            timeout=httpx_timeout(timeouts),
            follow_redirects=False,
            transport=DirectTransport(),
            mounts={} if direct else proxy_mounts(),
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        # httpx's text may hold the proxy's URL with its password.
        raise EndpointError(
            f"the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names cannot be used ({type(error).__name__});"
            " unset it, name an http:// proxy, or except the endpoint's host by NO_PROXY"
        ) from None


async def complete(http: httpx.AsyncClient, endpoint: Endpoint, prompt: str, **how: Unpack[_How]) -> Exchange:
    """Ask the endpoint and return its whole answer; arguments and errors are those of `receive`."""
    received = await receive(http, endpoint, prompt, **how)
    # Off the event loop: decoding thousands of chunks here would stand between other streams and their clock.
    return await asyncio.to_thread(received.exchange)


class _How(TypedDict, total=False):
    """The arguments of `receive` that have defaults."""

    api_key: str | None
    timeouts: Timeouts
    policy: RetryPolicy
    max_body_bytes: int
    clock: Callable[[], float]
    onlooker: Onlooker | None


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it came, not yet looked into."""

    recording: Recording
    attempts: int
    site: Site

    def exchange(self) -> Exchange:
        """Look into it.

        Raises:
            EndpointError: this is no whole answer.
        """
        return replace(fold(self.recording, self.site), attempts=self.attempts)


async def receive(  # noqa: PLR0913 (all but the first three have defaults)
    http: httpx.AsyncClient,
    endpoint: Endpoint,
    asked: str | Mapping[str, Any],
    *,
    api_key: str | None = None,
    timeouts: Timeouts = Timeouts(),  # noqa: B008 (frozen)
    policy: RetryPolicy = RetryPolicy(),  # noqa: B008 (frozen)
    max_body_bytes: int = MAX_BODY_BYTES,
    clock: Callable[[], float] = time.monotonic,
    onlooker: Onlooker | None = None,
) -> Received:
    """Ask the endpoint and return what came; for those who want to measure many at once and look into all afterwards.

    Times are the recorder's where it serves: from just before the write of the request's last byte to the socket, to the
    kernel's stamp on the bytes that came. By httpx they are those of its own events: from the return of its write to the
    return of its read; the clock is for these.

    Args:
        http: from `open_client`.
        endpoint: whom to ask.
        asked: a prompt, or a whole request body such as `build_body` makes.
        api_key: sent as bearer token.
        timeouts: of this request.
        policy: when to ask again.
        max_body_bytes: a longer answer is an error.
        clock: in seconds, monotonic.
        onlooker: may look at the answer while it comes.

    Raises:
        EndpointError: nothing came that could be an answer; nothing else is raised for what an endpoint can do.
    """
    if endpoint.url is None:
        raise EndpointError(f"endpoint {endpoint.name} has no URL that could be asked")
    site = Site(f"{endpoint.url.rstrip('/')}/chat/completions", api_key)
    body = build_body(endpoint, asked) if isinstance(asked, str) else asked
    call = Call(http, site, body, timeouts, max_body_bytes, clock, onlooker)
    try:
        async with asyncio.timeout(timeouts.total_s) as total:
            return Received(*await with_retries(call.attempt, policy), site)
    except TimeoutError as error:
        if not total.expired():
            raise
        size_bytes = sum(len(data) for _, data in call.tape.pieces)
        raise site.error(
            f"no whole answer within {timeouts.total_s:g} s ({size_bytes} bytes of it came);"
            " raise --llm-timeout or lower the endpoint's max_tokens"
        ) from error
