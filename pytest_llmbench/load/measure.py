"""Warm-up, rounds in random order, and what they came to."""

from __future__ import annotations

import asyncio
import re
import statistics
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random

from pytest_llmbench import client
from pytest_llmbench.errors import ContextTooSmallError, EndpointError
from pytest_llmbench.load.asking import Asker, Round, seed_of
from pytest_llmbench.load.preparation import prepare
from pytest_llmbench.load.questions import Questions
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.speed.goodput import Bounds
from pytest_llmbench.speed.rows import Aim, speed_row
from pytest_llmbench.speed.spread import fell_twice, settled
from pytest_llmbench.speed.window import system_figures
from pytest_llmbench.speed.workloads import Shape, Workload

_TOO_LONG = re.compile(r"HTTP 4\d\d.*(context|max_new_tokens|too long)", re.IGNORECASE | re.DOTALL)
"""How vLLM, SGLang, llama.cpp and TGI refuse what is longer than their context."""

WARM_UP_ROUNDS = 5
"""At most; a server that is still changing then is marked."""


@dataclass(slots=True)
class Measurer:
    """Measures one endpoint, one workload after the other."""

    endpoint: Endpoint
    seed: str
    api_key: str | None
    timeouts: client.Timeouts
    bounds: Bounds | None = None
    """What goodput asks for; None: it is not asked for."""
    _questions: Questions = field(init=False)
    _drain_tok_s: float | None = None
    """What this client can take on this machine; None before it was tried."""
    _too_long: ContextTooSmallError | None = None
    """Why the shortest workload that was too long was refused."""
    _too_long_tokens: int = 0

    def __post_init__(self) -> None:
        self._questions = Questions(self.endpoint, self.seed)

    def measure(self, workload: Workload) -> SpeedRow:
        """Measure one workload.

        Raises:
            ContextTooSmallError: the server's context does not hold it.
            EndpointError: the endpoint gives no answer to it at all.
        """
        self._see_that_it_fits(workload)
        try:
            return asyncio.run(self._measure(workload))
        except ContextTooSmallError as error:
            self._too_long, self._too_long_tokens = error, workload.tokens
            raise

    def sweep(self, workload: Workload, levels: Sequence[int]) -> tuple[SpeedRow, ...]:
        """Measure a workload with more and more requests in flight, until throughput has fallen twice in a row.

        Raises:
            EndpointError: the endpoint gives no answers at all.
        """
        return asyncio.run(self._sweep(workload, levels))

    def _see_that_it_fits(self, workload: Workload) -> None:
        context_tokens = self.endpoint.context_tokens or self.endpoint.server.context_tokens
        if context_tokens is not None and workload.tokens > context_tokens:
            raise ContextTooSmallError(
                f"{self.endpoint.url}: prompt and answer have {workload.tokens} tokens,"
                f" the server's context holds {context_tokens}"
            )
        if self._too_long is not None and workload.tokens >= self._too_long_tokens:
            raise ContextTooSmallError(f"not asked, as fewer tokens were too many before: {self._too_long}")

    async def _measure(self, workload: Workload) -> SpeedRow:
        async with self._ready(workload) as asker:
            marks = await self._warm_up(asker, workload)
            rounds = [await self._round(asker, workload, f"round-{number}") for number in range(workload.rounds)]
        return self._row(workload, rounds, marks)

    async def _sweep(self, workload: Workload, levels: Sequence[int]) -> tuple[SpeedRow, ...]:
        reached: list[Workload] = []
        rounds: dict[Workload, list[Round]] = {}
        async with self._ready(workload) as asker:
            throughputs: list[float | None] = []
            for level in levels:  # warms up, and shows how far to go
                reached.append(workload.at(level))
                ascent = await self._round(asker, reached[-1], "ascent")
                throughputs.append(system_figures(ascent.flights, level).throughput_tok_s)
                if fell_twice(throughputs):
                    break
            order = Random(f"{self.seed}/sweep")  # noqa: S311 - no secret
            for number in range(workload.rounds):
                for step in order.sample(reached, len(reached)):
                    rounds.setdefault(step, []).append(await self._round(asker, step, f"round-{number}"))
        return tuple(self._row(step, rounds[step], {}) for step in reached)

    @asynccontextmanager
    async def _ready(self, workload: Workload) -> AsyncIterator[Asker]:
        async with client.open_client(self.timeouts, direct=self.endpoint.serve is not None) as http:
            asker = Asker(http, self.endpoint, self.api_key, self.timeouts)
            if self._drain_tok_s is None:
                self._drain_tok_s = (await client.self_test()).drain_tok_s
            await prepare(asker, self._questions, workload)
            yield asker

    async def _warm_up(self, asker: Asker, workload: Workload) -> Mapping[str, str]:
        """Ask until two rounds in a row take equally long."""
        took_s: list[float] = []
        while not settled(took_s):
            if len(took_s) == WARM_UP_ROUNDS:
                said = ", ".join(f"{each:.3f}" for each in took_s)
                return {"unsettled": f"seconds of a request in {WARM_UP_ROUNDS} rounds of warm-up: {said}"}
            done = await self._round(asker, workload, f"warm-up-{len(took_s)}")
            took_s.append(statistics.median(flight.ended_s - flight.sent_s for flight in done.flights))
        return {}

    async def _round(self, asker: Asker, workload: Workload, name: str) -> Round:
        lengths = workload.lengths_tokens or (workload.prompt_tokens,) * workload.requests
        bodies = [self._questions.body(replace(workload, prompt_tokens=tokens))[0] for tokens in lengths]
        seed = seed_of(f"{self.seed}/{workload.name}/{workload.concurrency}/{name}")
        done = await asker.round(workload, bodies, seed)
        errors = [each.error for each in done.answered if each.error is not None]
        if len(errors) == len(done.answered):
            kind = ContextTooSmallError if _TOO_LONG.search(errors[0]) else EndpointError
            raise kind(errors[0])
        return done

    def _row(self, workload: Workload, rounds: Sequence[Round], marks: Mapping[str, str]) -> SpeedRow:
        aim = Aim(
            self.endpoint.name,
            workload.name,
            workload.concurrency,
            workload.depth_tokens,
            None if workload.lengths_tokens else workload.prompt_tokens,
            workload.answer_tokens,
            workload.text,
            cached_on_purpose=workload.shape is Shape.SHARED_PREFIX,
            bounds=self.bounds,
        )
        limits = [self._client_limit(each, workload.concurrency) for each in rounds]
        if reasons := [limit for limit in limits if limit is not None]:
            marks = {**marks, "client-limited": f"{len(reasons)} of {len(rounds)} rounds: {reasons[0]}"}
        return speed_row(aim, [each.flights for each in rounds], marks)

    def _client_limit(self, done: Round, concurrency: int | None) -> str | None:
        seen_tok_s = system_figures(done.flights, concurrency).throughput_tok_s
        return client.client_limit(done.load, seen_tok_s, self._drain_tok_s)
