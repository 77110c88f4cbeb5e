"""Sends the requests of a round, and looks into the answers only when all of them are there."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from pytest_llmbench import client
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.load.pace import closed_loop, open_loop
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.speed.arrivals import poisson_s
from pytest_llmbench.speed.window import Flight
from pytest_llmbench.speed.workloads import Workload

Body = Mapping[str, Any]

ONCE = client.RetryPolicy(attempts=1)
"""A request that was refused is a finding; asked again, it would hide what the others waited for."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one request."""

    flight: Flight
    error: str | None
    """One line: why there is no whole answer."""


@dataclass(frozen=True, slots=True)
class Round:
    """One pass of a workload."""

    answered: tuple[Answered, ...]
    load: client.ClientLoad
    """What it cost this process."""

    @property
    def flights(self) -> tuple[Flight, ...]:
        """The requests on their common clock."""
        return tuple(each.flight for each in self.answered)


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks one endpoint."""

    http: httpx.AsyncClient
    endpoint: Endpoint
    api_key: str | None
    timeouts: client.Timeouts

    async def round(self, workload: Workload, bodies: Sequence[Body], seed: int = 0) -> Round:
        """Send all requests at the pace of the workload."""
        with _undisturbed(), client.LoadWatch() as watch:
            if workload.rate_s is not None:
                due_s = poisson_s(workload.rate_s, len(bodies), seed)
                found = await open_loop(self._ask, bodies, due_s)
            else:
                found = await closed_loop(self._ask, bodies, workload.concurrency or 1)
        assert watch.load is not None  # noqa: S101 - it is there once the context is left
        return Round(tuple([await asyncio.to_thread(_look_into, each) for each in found]), watch.load)

    async def _ask(self, body: Body) -> tuple[float, float, client.Received | EndpointError]:
        began_s = time.monotonic()
        try:
            received = await client.receive(
                self.http, self.endpoint, body, api_key=self.api_key, timeouts=self.timeouts, policy=ONCE
            )
        except EndpointError as error:
            return began_s, time.monotonic(), error
        return began_s, time.monotonic(), received


def _look_into(found: tuple[float, float, client.Received | EndpointError]) -> Answered:
    began_s, ended_s, received = found
    if isinstance(received, EndpointError):
        return Answered(Flight(began_s, ended_s, None), str(received))
    try:
        exchange = received.exchange()
    except EndpointError as error:
        return Answered(Flight(began_s, ended_s, None), str(error))
    sent_s = received.recording.sent_at_s
    if sent_s is not None:
        began_s, ended_s = sent_s, sent_s + received.recording.ended_at_s
    return Answered(Flight(began_s, ended_s, exchange), None)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No garbage collection while answers come: it stops everything for milliseconds."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def seed_of(text: str) -> int:
    """Return the same number for the same text, in every process."""
    return Random(text).randrange(2**32)  # noqa: S311 - repeatable on purpose
