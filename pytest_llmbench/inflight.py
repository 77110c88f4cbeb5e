"""Answers on their way, told by each process to the one that the user watches; through the run folder.

Nothing is written unless somebody watches.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pytest_llmbench.client import Onlooker
from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.runfolder import RunFolder

PERIOD_S = 0.5
STALE_S = 10 * PERIOD_S
"""What is older was written by a process that died."""
_WATCHED = "watched"
_FILES = "inflight-*.json"


@dataclass(frozen=True, slots=True)
class InFlight:
    """One answer on its way."""

    endpoint: str
    suite: str
    sample: int
    elapsed_s: float
    """Since it was asked for."""
    chunks: int
    """Events with text so far; most servers send a token in each."""
    chunks_s: float | None
    """How many a second since the first one."""
    is_reasoning: bool


class Board:
    """What one process tells of the answers that it waits for."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._path = folder.lock_path(f"inflight-{os.getpid()}.json")
        self._answers: dict[CaseKey, tuple[float, Onlooker]] = {}

    @contextmanager
    def answer(self, key: CaseKey) -> Iterator[Onlooker]:
        """Tell of an answer for the time of the block."""
        onlooker = Onlooker()
        self._answers[key] = time.monotonic(), onlooker
        try:
            yield onlooker
        finally:
            del self._answers[key]

    async def keep(self) -> None:
        """Write it down again and again, until cancelled."""
        told: tuple[InFlight, ...] = ()
        while True:
            await asyncio.sleep(PERIOD_S)
            if not self._folder.lock_path(_WATCHED).exists():
                continue
            now = self._now()
            if now or told:
                with suppress(OSError):  # a full disk is no reason to lose an answer
                    self._folder.write(str(self._path.relative_to(self._folder.path)), encode(now))
            told = now

    def _now(self) -> tuple[InFlight, ...]:
        found = []
        for key, (began_s, onlooker) in self._answers.items():
            seen = onlooker.look()
            elapsed_s = time.monotonic() - began_s
            found.append(InFlight(*key, elapsed_s, seen.chunks, seen.chunks_s, seen.is_reasoning))
        return tuple(found)


def watch(folder: RunFolder) -> None:
    """Let all processes of the run tell from now on."""
    path = folder.lock_path(_WATCHED)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def in_flight(folder: RunFolder) -> tuple[InFlight, ...]:
    """Return the answers on their way, of all processes of the run."""
    found: list[InFlight] = []
    for path in sorted(folder.lock_path("").glob(_FILES)):
        with suppress(OSError, ValueError):  # it has gone meanwhile
            if time.time() - path.stat().st_mtime < STALE_S:
                found += decode(path.read_bytes(), tuple[InFlight, ...])
    return tuple(found)
