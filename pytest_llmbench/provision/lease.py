"""The side of those who ask: while one of them holds a lease on an endpoint, its server stays up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO

from pytest_llmbench.endpoints.keys import read_key
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.provision.health import is_well
from pytest_llmbench.provision.state import ServerState, Status, lease_name, read_state
from pytest_llmbench.runfolder import RunFolder

POLL_S = 0.05
NEWS_S = 10.0
"""How long a server that is not well may take to die, and its owner to say so."""


class Lease:
    """The wish of this process that the server of an endpoint be up; of one that is not ours it is nothing."""

    def __init__(self, folder: RunFolder, endpoint: Endpoint) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._taken = 0
        self._lock: IO[bytes] | None = None
        self._guard = threading.Lock()

    def take(self) -> None:
        """Wish it once more."""
        if self._endpoint.serve is None:
            return
        with self._guard:
            self._taken += 1
            while self._lock is None:
                self._lock = self._folder.share(lease_name(self._endpoint.name))
                if self._lock is None:
                    time.sleep(0.001)  # its owner has just looked whether anybody wants it

    def drop(self) -> None:
        """Wish it once less; as often as it was taken."""
        with self._guard:
            self._taken -= 1
            if self._taken <= 0 and self._lock is not None:
                self._lock.close()
                self._lock = None

    async def endpoint(self) -> Endpoint:
        """Wait until the server is up, and return the endpoint as it can be asked; the lease must have been taken.

        Raises:
            EndpointError: it does not come up, or the run was given up.
        """
        while (found := self._found()) is None:  # noqa: ASYNC110 - the owner may be another process
            await asyncio.sleep(POLL_S)
        return found

    def wait(self) -> Endpoint:
        """Do the same where no event loop runs.

        Raises:
            EndpointError: it does not come up, or the run was given up.
        """
        while (found := self._found()) is None:
            time.sleep(POLL_S)
        return found

    async def explained(self, error: EndpointError, asked: Endpoint) -> EndpointError:
        """Return what to say of a request that failed: if the server died of it or under it, why.

        Args:
            error: what the client says.
            asked: as `endpoint` returned it.
        """
        if self._endpoint.serve is None:
            return error
        looking = asyncio.ensure_future(self._is_well())
        give_up_s = time.monotonic() + NEWS_S
        try:
            while True:
                state = self._state()
                if state.status is Status.READY and state.url == asked.url:
                    if time.monotonic() > give_up_s or (looking.done() and looking.result()):
                        return error
                elif state.status is not Status.STOPPING:
                    return error if state.problem is None else self._failed(state)
                await asyncio.sleep(POLL_S)
        finally:
            looking.cancel()

    async def _is_well(self) -> bool:
        url = self._state().health_url
        return url is not None and await is_well(url, read_key(self._endpoint.api_key_env))

    def _found(self) -> Endpoint | None:
        if self._endpoint.serve is None:
            return self._endpoint
        if self._folder.is_abandoned:
            raise EndpointError("the run was given up before the server was up")
        state = self._state()
        if state.status is Status.FAILED:
            raise self._failed(state)
        if state.status is not Status.READY:
            return None
        context_tokens = self._endpoint.context_tokens or state.context_tokens
        return replace(self._endpoint, url=state.url, model=state.model, context_tokens=context_tokens)

    def _failed(self, state: ServerState) -> EndpointError:
        return EndpointError(f"{self._endpoint.name}: {state.problem}")

    def _state(self) -> ServerState:
        return read_state(self._folder, self._endpoint.name)


@contextmanager
def leased(folder: RunFolder, endpoint: Endpoint) -> Iterator[Endpoint]:
    """Wait until the endpoint can be asked, and keep it so.

    Raises:
        EndpointError: it cannot; or what the block raised, with the reason if the server died of it.
    """
    lease = Lease(folder, endpoint)
    lease.take()
    try:
        up = lease.wait()
        try:
            yield up
        except EndpointError as error:
            if (why := asyncio.run(lease.explained(error, up))) is error:
                raise
            raise why from error
    finally:
        lease.drop()
