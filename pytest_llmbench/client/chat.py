"""One streaming chat completion over HTTP, from prompt to `Exchange`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from pytest_llmbench.client.faults import QUOTE_BYTES, Site
from pytest_llmbench.client.record import MAX_BODY_BYTES, record
from pytest_llmbench.client.retry import RETRIED_STATUS, RetryPolicy, TryAgainError, retry_after_s, with_retries
from pytest_llmbench.client.stream import Recording, fold
from pytest_llmbench.client.timeouts import Timeouts
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.model.endpoint import Endpoint

REFUSAL_BODY_S = 5.0
"""How long the body of a refusal may take to come."""

_BROKE_BEFORE_ANSWER = (httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError)


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


def open_client(timeouts: Timeouts) -> httpx.AsyncClient:
    """Open the client that `complete` needs; close it with `async with`. Proxies come from the environment.

    Raises:
        EndpointError: the environment names a proxy that cannot be used.
    """
    try:
        return httpx.AsyncClient(
            timeout=_httpx_timeout(timeouts),
            follow_redirects=False,
            # The caller bounds what is in flight; a second bound here would hide waiting from every clock.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        # httpx's text may hold the proxy's URL with its password.
        raise EndpointError(
            f"the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names cannot be used ({type(error).__name__});"
            " unset it, name an http:// proxy, or except the endpoint's host by NO_PROXY"
        ) from None


async def complete(  # noqa: PLR0913 (all but the first three have defaults)
    http: httpx.AsyncClient,
    endpoint: Endpoint,
    prompt: str,
    *,
    api_key: str | None = None,
    timeouts: Timeouts = Timeouts(),  # noqa: B008 (frozen)
    policy: RetryPolicy = RetryPolicy(),  # noqa: B008 (frozen)
    max_body_bytes: int = MAX_BODY_BYTES,
    clock: Callable[[], float] = time.monotonic,
) -> Exchange:
    """Ask the endpoint and return its whole answer.

    All times count from the moment when httpx's write of the request's last byte to the socket returned; connecting
    comes before it. That is as close as httpx lets one come: what the kernel still had to send is charged to the server.
    A read is a piece of body as httpx hands it over: several chunks that came in one packet have times some
    microseconds apart.

    Raises:
        EndpointError: there is no whole answer; nothing else is raised for what an endpoint can do.
    """
    if endpoint.url is None:
        raise EndpointError(f"endpoint {endpoint.name} has no URL that could be asked")
    site = Site(f"{endpoint.url.rstrip('/')}/chat/completions", api_key)
    call = _Call(http, site, build_body(endpoint, prompt), timeouts, max_body_bytes, clock)
    try:
        async with asyncio.timeout(timeouts.total_s) as total:
            recording, attempts = await with_retries(call.attempt, policy)
            # Off the event loop: decoding thousands of chunks here would stand between other streams and their clock.
            exchange = await asyncio.to_thread(fold, recording, site)
    except TimeoutError as error:
        if not total.expired():
            raise
        raise site.error(
            f"no whole answer within {timeouts.total_s:g} s ({sum(len(data) for _, data in call.reads)} bytes of it came);"
            " raise --llm-timeout or lower the endpoint's max_tokens"
        ) from error
    return replace(exchange, attempts=attempts)


@dataclass(slots=True, repr=False)
class _Call:
    """One request, tried one or more times."""

    http: httpx.AsyncClient
    site: Site
    body: Mapping[str, Any]
    timeouts: Timeouts
    max_body_bytes: int
    clock: Callable[[], float]
    reads: list[tuple[float, bytes]] = field(default_factory=list)
    """Not emptied between attempts: one that came to read is the last one."""
    sent_at_s: float = 0.0

    async def attempt(self) -> Recording:
        """Send the request once and record what comes back."""
        response = await self._send()
        try:
            if response.status_code != httpx.codes.OK:
                raise await self._refusal(response)
            return await record(
                response, self.reads, self.site, since_sent_s=self._since_sent_s, max_body_bytes=self.max_body_bytes
            )
        finally:
            await response.aclose()

    def _build(self) -> httpx.Request:
        try:
            return self.http.build_request(
                "POST",
                self.site.url,
                json=self.body,
                headers=request_headers(self.site) | {"accept": "text/event-stream", "accept-encoding": "identity"},
                timeout=_httpx_timeout(self.timeouts),
                extensions={"trace": self._trace},
            )
        except httpx.InvalidURL:
            # httpx's text may hold parts of a password.
            raise self.site.error("this is no URL; wanted http://HOST:PORT/v1") from None
        except (TypeError, ValueError) as error:
            raise self.site.error(f"the request is no JSON ({error}); correct the endpoint's extra_body") from error

    async def _trace(self, event: str, _: Mapping[str, Any]) -> None:
        if event.endswith("send_request_body.complete"):
            self.sent_at_s = self.clock()

    def _since_sent_s(self) -> float:
        return self.clock() - self.sent_at_s

    async def _send(self) -> httpx.Response:
        request = self._build()
        self.sent_at_s = self.clock()  # stands where a transport does not tell when it has sent
        site, timeouts = self.site, self.timeouts
        try:
            return await self.http.send(request, stream=True)
        except httpx.ConnectTimeout as error:
            text = f"no connection within {timeouts.connect_s:g} s; is the host up, and is no firewall in between?"
            raise TryAgainError(site.say(text)) from error
        except httpx.ConnectError as error:
            raise TryAgainError(site.say(f"cannot connect ({error}); is the server running there?")) from error
        except _BROKE_BEFORE_ANSWER as error:
            text = f"the connection broke before an answer ({type(error).__name__}: {error}); see the server's log"
            raise TryAgainError(site.say(text)) from error
        except httpx.TimeoutException as error:
            raise site.error(
                f"connected, but no byte of an answer within {timeouts.read_idle_s:g} s; is the server stuck or overloaded?"
            ) from error
        except httpx.HTTPError as error:
            raise site.error(f"the request could not be sent ({type(error).__name__}: {error})") from error

    async def _refusal(self, response: httpx.Response) -> EndpointError:
        body = b""
        # The status is the news; the body only explains it, and is not worth waiting for.
        with contextlib.suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(REFUSAL_BODY_S):
                async for data in response.aiter_bytes():
                    body += data
                    if len(body) > QUOTE_BYTES:
                        break
        text = self.site.refusal(response.status_code, body, response.headers.get("location"))
        if response.status_code in RETRIED_STATUS:
            return TryAgainError(text, retry_after_s(response.headers))
        return EndpointError(text)


def request_headers(site: Site) -> dict[str, str]:
    """Return the headers that carry the API key.

    Raises:
        EndpointError: the key cannot stand in a header. Its text does not show it, as httpx's would.
    """
    if not site.secret:
        return {}
    if not (site.secret.isascii() and site.secret.isprintable() and " " not in site.secret):
        raise site.error("the API key holds a space, a line break or a character outside ASCII; correct its variable")
    return {"authorization": f"Bearer {site.secret}"}


def _httpx_timeout(timeouts: Timeouts) -> httpx.Timeout:
    idle_s = timeouts.read_idle_s
    return httpx.Timeout(connect=timeouts.connect_s, read=idle_s, write=idle_s, pool=None)
