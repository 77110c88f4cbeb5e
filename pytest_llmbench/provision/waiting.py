"""Waits for the first answer of a server that was started, and for all that can come in its stead."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.serving import Phase
from pytest_llmbench.provision.health import Place, Seen, first_answer
from pytest_llmbench.provision.process import ServerProcess
from pytest_llmbench.provision.progress import Progress
from pytest_llmbench.provision.start import last_words

POLL_S = 0.05
DEATH_S = 5.0
"""How long a server that failed to answer may take to die of it: then the death is the news, and its log tells why."""


@dataclass(frozen=True, slots=True)
class End:
    """How the waiting ended."""

    after_s: float
    """Since it began."""
    model: str | None = None
    """Who answered; None if nobody did."""
    phase: Phase = Phase.LOADING
    said: str | None = None
    """What there is to say, should the server's log have no better line."""
    ended: str | None = None
    """How its process ended; None if it still runs."""
    is_late: bool = False
    is_cancelled: bool = False


async def wait(  # noqa: PLR0913, PLR0917 - all that may end it
    process: ServerProcess,
    place: Place,
    log: Path,
    ready_timeout_s: float,
    is_cancelled: Callable[[], bool],
    tell: Callable[[str], None],
) -> End:
    """Wait until it has answered, failed to, died, run out of time, or nobody needs it any more."""
    health_path = httpx.URL(place.health_url).path
    began_s = time.monotonic()
    seen = Seen()
    progress = Progress(tell, log, but=f"GET {health_path} ")
    asking = asyncio.ensure_future(first_answer(place, seen))
    try:
        while not asking.done():
            after_s = time.monotonic() - began_s
            if process.ended is not None:
                return End(after_s, ended=process.ended)
            if is_cancelled():
                return End(after_s, is_cancelled=True)
            if after_s > ready_timeout_s:
                return _late(health_path, seen, log, after_s)
            progress.tick(after_s, "waiting for its first answer" if seen.is_up else "loading")
            await asyncio.wait({asking}, timeout=POLL_S)
    finally:
        asking.cancel()
    after_s = time.monotonic() - began_s
    try:
        return End(after_s, model=asking.result())
    except EndpointError as error:
        unhealthy = End(after_s, phase=Phase.UNHEALTHY, said=str(error))
    while time.monotonic() - began_s < after_s + DEATH_S and not is_cancelled():
        if process.ended is not None:
            return End(time.monotonic() - began_s, ended=process.ended)
        await asyncio.sleep(POLL_S)
    return unhealthy


def _late(health_path: str, seen: Seen, log: Path, after_s: float) -> End:
    if seen.is_up:
        said = f"{health_path} is fine, but no answer to a first prompt came within {after_s:.0f} s"
        return End(after_s, phase=Phase.UNHEALTHY, said=said, is_late=True)
    said = f"{health_path}: {seen.said} after {after_s:.0f} s; {last_words(log, health_path) or 'its log is empty'}"
    return End(after_s, phase=Phase.NOT_READY, said=said, is_late=True)
