"""What a token costs the client: the recorder beside httpx's own transport, under the same `complete()`.

    python -m benchmarks.client_cost [--rounds N]

CPU time of this process, all threads, reading of the text included; the server is a process of its own. The cost of a token
is the difference between long and short answers over the tokens in between, so that what a request costs is not in it.
The two transports take turns, and each ratio is that of one round: a machine that is busy with other things raises both.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from benchmarks.schedule_server import serve
from pytest_llmbench.client import Timeouts, complete, open_client
from pytest_llmbench.client.selftest import self_test
from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.model.endpoint import Endpoint, Sampling


@dataclass(frozen=True, slots=True)
class Load:
    """How tokens come."""

    name: str
    concurrency: int
    options: tuple[str, ...]
    short: int
    long: int
    """Tokens of an answer."""


LOADS = (
    Load("paced, 10 ms a token", 64, ("ttft_ms=100", "interval_ms=10"), 50, 250),
    Load("paced, 5 ms a token", 64, ("ttft_ms=100", "interval_ms=5"), 50, 250),
    Load("flood", 8, ("ttft_ms=0", "interval_ms=0"), 2000, 10_000),
)
CLIENTS: Mapping[str, Callable[[], httpx.AsyncClient]] = {
    "recorder": lambda: open_client(Timeouts()),
    "httpx": lambda: httpx.AsyncClient(timeout=None, limits=httpx.Limits(), trust_env=False),  # noqa: S113 (bounded by the server)
}


def cost_us(open_http: Callable[[], httpx.AsyncClient], url: str, load: Load) -> float:
    """Return microseconds of CPU for one more token."""
    short_s, long_s = (_cpu_s(open_http, url, load.concurrency, tokens) for tokens in (load.short, load.long))
    return (long_s - short_s) / (load.concurrency * (load.long - load.short)) * 1e6


def _cpu_s(open_http: Callable[[], httpx.AsyncClient], url: str, concurrency: int, tokens: int) -> float:
    async def ask() -> list[Exchange]:
        async with open_http() as http:
            endpoint = Endpoint("cost", url, "schedule", sampling=Sampling(max_tokens=tokens))
            return await asyncio.gather(*(complete(http, endpoint, f"{number}: go") for number in range(concurrency)))

    gc.collect()
    began_s = time.process_time()
    exchanges = asyncio.run(ask())
    took_s = time.process_time() - began_s
    counted = {exchange.usage.completion_tokens for exchange in exchanges}
    if counted != {tokens}:
        raise RuntimeError(f"wanted {tokens} tokens from each, got {counted}")
    return took_s


def main() -> None:
    """Print the costs, the ratios and what the self-test says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.client_cost", description="CPU per token.")
    parser.add_argument("--rounds", type=int, default=3)
    rounds: int = parser.parse_args().rounds
    print(
        f"{'load':24} {'C':>3} | " + " | ".join(f"{name + ' us/token':>18}" for name in CLIENTS) + " | recorder / httpx"
    )
    for load in LOADS:
        with serve(*load.options) as server:
            costs = [{name: cost_us(each, server.url, load) for name, each in CLIENTS.items()} for _ in range(rounds)]
        shown = [f"{statistics.median(cost[name] for cost in costs):18.1f}" for name in CLIENTS]
        ratios = [cost["recorder"] / cost["httpx"] for cost in costs]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{load.name:24} {load.concurrency:3} | {' | '.join(shown)} | {spread}", flush=True)
    found = asyncio.run(self_test())
    print(f"self-test: {found.drain_tok_s:,.0f} tok/s a core drained, {found.whole_tok_s:,.0f} with the text read")


if __name__ == "__main__":
    main()
