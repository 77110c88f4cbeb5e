"""Asks for one answer, of whatever an endpoint is: a server, or a folder of recorded answers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_llmbench import client
from pytest_llmbench.disclosure import hush, secrets_of, without_secrets
from pytest_llmbench.endpoints.keys import read_key
from pytest_llmbench.endpoints.replay import replay
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.inflight import Board
from pytest_llmbench.model.completion import CaseKey, Exchange, sample_seed
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.provision.lease import Lease
from pytest_llmbench.suite import Suite

_SEED_REFUSED = re.compile(r"HTTP (400|422); it said .*\bseed\b")
"""What the client says when a server does not take that field."""


@dataclass(frozen=True, slots=True)
class Case:
    """One answer to ask for: an endpoint, a suite and which sample."""

    endpoint: Endpoint
    suite: Suite
    sample: int

    @property
    def key(self) -> CaseKey:
        """What names it."""
        return CaseKey(self.endpoint.name, self.suite.name, self.sample)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was sent, without secrets, and what came of it or why nothing did."""

    request: Mapping[str, Any]
    exchange: Exchange | None = None
    error: str | None = None


class Asker:
    """Asks, and remembers who takes no seed."""

    def __init__(self, settings: Settings, board: Board) -> None:
        """Of `settings`, seed and time-out count; the board is told of each answer on its way."""
        self._seed = settings.seed
        self._timeouts = client.Timeouts(total_s=settings.timeout_s)
        self._board = board
        self._secrets = {one.name: secrets_of(one, os.environ) for one in settings.endpoints}
        self._seedless: set[str] = set()
        """Endpoints that take no seed."""

    async def ask(self, endpoint: Endpoint, case: Case, lease: Lease) -> Asked:
        """Ask an endpoint as its lease returned it; what fails is told in what is returned."""
        sent = self._seeded(endpoint, case)
        shown = without_secrets(sent, os.environ)
        request = client.build_body(shown, case.suite.prompt) if sent.url else {}
        try:
            if endpoint.replay is not None:
                recorded = replay(endpoint.replay, case.suite.folder, case.key)
                return Asked(recorded.request, recorded.exchange)
            return Asked(request, await self._complete(sent, case))
        except EndpointError as failure:
            if endpoint.sampling.seed is None and sent != endpoint and _SEED_REFUSED.search(str(failure)):
                self._seedless.add(endpoint.name)
                return await self.ask(endpoint, case, lease)
            why = await lease.explained(failure, sent)
            return Asked(request, error=hush(str(why), self._secrets[endpoint.name]))

    def _seeded(self, endpoint: Endpoint, case: Case) -> Endpoint:
        """Give each sample a seed of its own; one that the user chose is that of the first sample."""
        sampling = endpoint.sampling
        if endpoint.url is None or "seed" in endpoint.extra_body:
            return endpoint
        if sampling.seed is not None:
            seed = sampling.seed + case.sample - 1
        elif endpoint.name in self._seedless:
            return endpoint
        else:
            seed = sample_seed(self._seed, case.suite.name, case.sample)
        return replace(endpoint, sampling=replace(sampling, seed=seed))

    async def _complete(self, endpoint: Endpoint, case: Case) -> Exchange:
        if endpoint.problem is not None:
            raise EndpointError(endpoint.problem)
        key = read_key(endpoint.api_key_env)
        with self._board.answer(case.key) as onlooker:
            async with client.open_client(self._timeouts, direct=endpoint.serve is not None) as http:
                return await client.complete(
                    http, endpoint, case.suite.prompt, api_key=key, timeouts=self._timeouts, onlooker=onlooker
                )
