"""Fetches each completion of a run once, ahead of the checks that need it, whatever number of processes share the run.

Every process asks for all completions that its tests need. A lock in the run folder decides which process fetches
which; the others read the file that it writes. The locks are the kernel's, so that those of a process that died are
free. More such locks, as many as `Settings.concurrency`, bound the requests in flight to one endpoint.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent import futures
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import IO

from pytest_llmbench.answers import split_reasoning
from pytest_llmbench.asking import Asked, Asker, Case
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.inflight import Board
from pytest_llmbench.model.completion import CaseKey, Completion, Exchange, answer_sha256
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.provision.lease import Lease
from pytest_llmbench.runfolder import RunFolder

POLL_S = 0.02
MAX_POLL_S = 0.25


class Fetcher:
    """Fetches in an event loop of its own thread, so that earlier answers are graded meanwhile."""

    def __init__(self, settings: Settings, folder: RunFolder) -> None:
        self._settings = settings
        self._folder = folder
        self._pending: dict[CaseKey, Future[Completion]] = {}
        self._asking: set[CaseKey] = set()
        self._leases = {one.name: Lease(folder, one) for one in settings.endpoints}
        # So that no more tasks stand at the locks than could get one.
        self._places = {one.name: asyncio.Semaphore(settings.concurrency) for one in settings.endpoints}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="llmbench-fetch", daemon=True)
        self._thread.start()
        board = Board(folder)
        self._telling = asyncio.run_coroutine_threadsafe(board.keep(), self._loop)
        self._asker = Asker(settings, board)

    def expect(self, cases: Iterable[Case]) -> None:
        """Start fetching, in the order given; what was asked for already is not asked again."""
        for case in cases:
            if case.key not in self._pending:
                known = self._known(case.key)
                if known is None:
                    # At once, so that a server stays up from the first request to the last answer.
                    self._leases[case.endpoint.name].take()
                obtaining = self._obtain(case) if known is None else _at_once(known)
                self._pending[case.key] = asyncio.run_coroutine_threadsafe(obtaining, self._loop)

    def get(self, case: Case) -> Completion:
        """Wait for a completion; a failed one has `error` set.

        Raises:
            EndpointError: the run was given up meanwhile.
        """
        self.expect([case])
        future = self._pending[case.key]
        while not futures.wait([future], timeout=MAX_POLL_S).done:
            if self._folder.is_abandoned:
                raise EndpointError("the run was given up before the answer came")
        return future.result()

    def first_there(self, cases: Sequence[Case], *, wait: bool) -> Case | None:
        """Return the case of the first of these completions that is there; a replay, and what was not asked for, is.

        With `wait`, if none is there, wait until one is or the run was given up; without, return None.
        """
        pending = {case.key: self._pending[case.key] for case in cases if case.key in self._pending}
        while True:
            for case in cases:
                if case.endpoint.replay is not None or case.key not in pending or pending[case.key].done():
                    return case
            if not wait:
                return None
            if self._folder.is_abandoned:
                return cases[0]
            futures.wait(pending.values(), timeout=MAX_POLL_S, return_when=futures.FIRST_COMPLETED)

    def close(self, *, wait: bool) -> None:
        """Stop. With `wait`, requests in flight are first brought to their end: another process may need them."""
        self._telling.cancel()
        for key, future in self._pending.items():
            if not (wait and key in self._asking):
                future.cancel()
        asking = [future for future in self._pending.values() if not future.cancelled()]
        while futures.wait(asking, timeout=MAX_POLL_S).not_done:
            if self._folder.is_abandoned:
                for future in asking:
                    future.cancel()
        asyncio.run_coroutine_threadsafe(_let_cancelled_end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _obtain(self, case: Case) -> Completion:
        try:
            return await self._obtain_leased(case)
        finally:
            self._leases[case.endpoint.name].drop()

    async def _obtain_leased(self, case: Case) -> Completion:
        async with self._places[case.endpoint.name]:
            async for _ in _patiently():
                if (known := self._known(case.key)) is not None:
                    return known
                if (claim := self._folder.claim("-".join(("case", *map(str, case.key))))) is not None:
                    with claim:
                        # Between our look and our claim another process may have written it.
                        known = self._known(case.key)
                        return known if known is not None else await self._fetch(case)
        raise AssertionError("patience has no end")

    async def _fetch(self, case: Case) -> Completion:
        with await self._slot(case.endpoint.name):
            self._asking.add(case.key)
            in_flight = sum(map(self._folder.is_claimed, self._slots(case.endpoint.name)))
            lease = self._leases[case.endpoint.name]
            started_at = _now()
            try:
                endpoint = await lease.endpoint()
            except EndpointError as failure:
                asked = Asked({}, error=str(failure))
            else:
                started_at = _now()
                asked = await self._asker.ask(endpoint, case, lease)
            completion = Completion(
                *case.key,
                asked.request,
                started_at,
                asked.exchange,
                asked.error,
                in_flight,
                _sha256(asked.exchange),
                self._settings.session,
            )
            try:
                self._folder.write_completion(completion)
            except OSError as failure:
                raise EndpointError(
                    f"the answer could not be kept in {self._folder.path}: {failure.strerror}; make room, then go on with"
                    f" --llm-resume={self._folder.path}"
                ) from failure
            return completion

    def _known(self, key: CaseKey) -> Completion | None:
        """Return the completion if it is there; what failed before the run was cut off is asked for again."""
        known = self._folder.read_completion(key)
        is_old_failure = known is not None and known.error is not None and known.session < self._settings.session
        return None if is_old_failure else known

    async def _slot(self, endpoint: str) -> IO[bytes]:
        """Take one of the endpoint's places, which all processes share."""
        async for _ in _patiently():
            for slot in self._slots(endpoint):
                if (taken := self._folder.claim(slot)) is not None:
                    return taken
        raise AssertionError("patience has no end")

    def _slots(self, endpoint: str) -> list[str]:
        return self._folder.slots(endpoint, self._settings.concurrency)


async def _at_once(completion: Completion) -> Completion:
    return completion


def _sha256(exchange: Exchange | None) -> str | None:
    return None if exchange is None else answer_sha256(split_reasoning(exchange.content).answer)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


async def _patiently() -> AsyncIterator[None]:
    """Go on for ever, with growing pauses: the kernel has no event for a lock of another process that came free."""
    pause_s = POLL_S
    while True:
        yield
        await asyncio.sleep(pause_s)
        pause_s = min(1.5 * pause_s, MAX_POLL_S)


async def _let_cancelled_end() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    await asyncio.gather(*others, return_exceptions=True)
