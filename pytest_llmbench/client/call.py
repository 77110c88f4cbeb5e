"""One request for a chat completion: how it is sent, and what is said when it cannot be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from pytest_llmbench.client.faults import QUOTE_BYTES, Site
from pytest_llmbench.client.glimpse import Onlooker
from pytest_llmbench.client.record import record
from pytest_llmbench.client.retry import RETRIED_STATUS, TryAgainError, retry_after_s
from pytest_llmbench.client.stream import Recording
from pytest_llmbench.client.tape import EXTENSION, Tape
from pytest_llmbench.client.timeouts import Timeouts
from pytest_llmbench.errors import EndpointError

REFUSAL_BODY_S = 5.0
"""How long the body of a refusal may take to come."""

_BROKE_BEFORE_ANSWER = (httpx.ReadError, httpx.WriteError, httpx.CloseError, httpx.RemoteProtocolError)


@dataclass(slots=True, repr=False)
class Call:
    """One request, tried one or more times."""

    http: httpx.AsyncClient
    site: Site
    body: Mapping[str, Any]
    timeouts: Timeouts
    max_body_bytes: int
    clock: Callable[[], float]
    onlooker: Onlooker | None = None
    tape: Tape = field(init=False)
    """Of the last attempt."""

    def __post_init__(self) -> None:
        self.tape = Tape(self.max_body_bytes)

    async def attempt(self) -> Recording:
        """Send the request once and record what comes back."""
        # That time stands where a transport does not tell when it has sent.
        self.tape = Tape(self.max_body_bytes, sent_at_s=self.clock())
        if self.onlooker is not None:
            self.onlooker.tape = self.tape
        response = await self._send()
        try:
            if response.status_code != httpx.codes.OK:
                raise await self._refusal(response)
            return await record(response, self.tape, self.site, now_s=self.clock)
        finally:
            await response.aclose()

    def _build(self) -> httpx.Request:
        try:
            return self.http.build_request(
                "POST",
                self.site.url,
                json=self.body,
                headers=request_headers(self.site) | {"accept": "text/event-stream", "accept-encoding": "identity"},
                timeout=httpx_timeout(self.timeouts),
                extensions={"trace": self._trace, EXTENSION: self.tape},
            )
        except httpx.InvalidURL:
            # httpx's text may hold parts of a password.
            raise self.site.error("this is no URL; wanted http://HOST:PORT/v1") from None
        except (TypeError, ValueError) as error:
            raise self.site.error(f"the request is no JSON ({error}); correct the endpoint's extra_body") from error

    async def _trace(self, event: str, _: Mapping[str, Any]) -> None:
        if event.endswith("send_request_body.complete"):
            self.tape.sent_at_s = self.clock()

    async def _send(self) -> httpx.Response:
        request = self._build()
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


def httpx_timeout(timeouts: Timeouts) -> httpx.Timeout:
    """Return the same bounds as httpx knows them; the total has no place there."""
    idle_s = timeouts.read_idle_s
    return httpx.Timeout(connect=timeouts.connect_s, read=idle_s, write=idle_s, pool=None)
