"""Other people's load on a server, in a process of its own: `python -m tests.load.others URL MODEL KIND SEED`.

`bursts`: now many users ask, now nobody. `queue`: some users ask all the time, for longer and shorter answers. `growing`:
some answers go on without end, and twice a second one more begins. A line is printed when the first tokens have come.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random

import httpx

ENDLESS_TOKENS = 10_000
ROOT = Path(__file__).parents[2]


@contextmanager
def others(url: str, model: str, kind: str, seed: int = 1) -> Iterator[None]:
    """Keep up that load for the time of the block."""
    command = [sys.executable, "-m", "tests.load.others", url, model, kind, str(seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "under way\n"
            yield
            assert process.poll() is None, "the others left"
        finally:
            process.terminate()


class Crowd:
    """Users of one server."""

    def __init__(self, http: httpx.AsyncClient, url: str, model: str, seed: int) -> None:
        self._http, self._url, self._model = http, url, model
        self._random = Random(seed)  # noqa: S311 (no secret)
        self._asked = 0
        self._is_told = False

    async def bursts(self) -> None:
        while True:
            users, tokens = self._random.randint(8, 16), self._random.randint(20, 60)
            await asyncio.gather(*(self._ask(tokens) for _ in range(users)))
            await asyncio.sleep(self._random.uniform(0.2, 1.5))

    async def queue(self) -> None:
        async def user() -> None:
            while True:
                await self._ask(self._random.randint(10, 400))

        await asyncio.gather(*(user() for _ in range(4)))

    async def growing(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(self._ask(ENDLESS_TOKENS))
            while True:
                await asyncio.sleep(0.5)
                group.create_task(self._ask(ENDLESS_TOKENS))

    async def _ask(self, tokens: int) -> None:
        self._asked += 1
        body = {
            "model": self._model,
            "messages": [{"role": "user", "content": f"{self._asked} other things"}],
            "max_tokens": tokens,
            "stream": True,
            "ignore_eos": True,
        }
        async with self._http.stream("POST", f"{self._url}/chat/completions", json=body, timeout=None) as response:
            async for _ in response.aiter_raw():
                if not self._is_told:
                    self._is_told = True
                    print("under way", flush=True)  # noqa: T201 (told to the test)


KINDS: Mapping[str, Callable[[Crowd], Awaitable[None]]] = {
    "bursts": Crowd.bursts,
    "queue": Crowd.queue,
    "growing": Crowd.growing,
}


async def main(url: str, model: str, kind: str, seed: str) -> None:
    # No connection is kept: llama-server closes each one after a stream, perhaps under the next request.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as http:
        await KINDS[kind](Crowd(http, url, model, int(seed)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
