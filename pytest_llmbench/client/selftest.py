"""How many tokens a second this client can take on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from pytest_llmbench.client import flood
from pytest_llmbench.client.chat import open_client, receive
from pytest_llmbench.client.timeouts import Timeouts
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.endpoint import Endpoint

TOKENS = 10_000
STREAMS = 4
_PATIENCE = Timeouts(connect_s=5.0, read_idle_s=5.0, total_s=30.0)


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What the client did with a flood; rates per second of its own CPU time, so per core."""

    drain_tok_s: float
    """Received and recorded, which is all that happens while a measurement runs."""
    whole_tok_s: float
    """The same, with the reading of the text that comes afterwards."""


async def self_test(tokens: int = TOKENS) -> SelfTest:
    """Drain a flood from a server in a process of its own, over the loopback.

    Args:
        tokens: of each of the streams; fewer than some thousands measure the beginning of a request.

    Raises:
        EndpointError: the flood did not come.
    """
    async with _flood(tokens) as url, open_client(_PATIENCE, direct=True) as http:
        endpoint = Endpoint(name="flood", url=url, model="flood")
        await _drain(http, endpoint, 1)  # what is imported and allocated once is no part of the rate
        return await _drain(http, endpoint, STREAMS)


async def _drain(http: httpx.AsyncClient, endpoint: Endpoint, streams: int) -> SelfTest:
    began_s = time.process_time()
    received = await asyncio.gather(*(receive(http, endpoint, "", timeouts=_PATIENCE) for _ in range(streams)))
    drained_s = time.process_time()
    tokens = sum(each.exchange().usage.completion_tokens or 0 for each in received)
    read_s = time.process_time()
    return SelfTest(drain_tok_s=tokens / (drained_s - began_s), whole_tok_s=tokens / (read_s - began_s))


@contextlib.asynccontextmanager
async def _flood(tokens: int) -> AsyncIterator[str]:
    """Run the server; give its base URL."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-I", "-S", flood.__file__, str(tokens))
    server = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        port = await server.stdout.readline() if server.stdout is not None else b""
        if not port.strip().isdigit():
            raise EndpointError("the client's self-test could not start its server")
        yield f"http://127.0.0.1:{int(port)}/v1"
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.kill()
        await server.wait()
