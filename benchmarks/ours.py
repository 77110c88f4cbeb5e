"""This project's client, driven like a peer.

    python -m benchmarks.ours URL --concurrency C --requests N --tokens T

Keeps C requests in flight until N have ended and prints its figures as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import httpx

from benchmarks.truth import Figures, mean
from pytest_llmbench.client import Timeouts, open_client
from pytest_llmbench.client.chat import Received, receive
from pytest_llmbench.model.endpoint import Endpoint, Sampling
from pytest_llmbench.speed.figures import stream_figures


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer that was asked for."""

    user: str
    """What the server's log knows it by."""
    figures: Figures


def measure(url: str, *, concurrency: int, requests: int, tokens: int) -> Sequence[Asked]:
    """Ask for so many answers, so many at once, and return what the client says of each.

    Connections are opened and everything is imported by a wave of short answers before.
    """
    return asyncio.run(_measure(url, concurrency, requests, tokens))


async def _measure(url: str, concurrency: int, requests: int, tokens: int) -> Sequence[Asked]:
    async with open_client(Timeouts()) as http:
        await _wave(http, [_endpoint(url, f"warm-{number}", 2) for number in range(concurrency)], concurrency)
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            endpoints = [_endpoint(url, f"ask-{number}", tokens) for number in range(requests)]
            received = await _wave(http, endpoints, concurrency)
        finally:
            gc.enable()
            gc.unfreeze()
    return [Asked(endpoint.name, _figures(one)) for endpoint, one in zip(endpoints, received, strict=True)]


async def _wave(http: httpx.AsyncClient, endpoints: Sequence[Endpoint], concurrency: int) -> Sequence[Received]:
    waiting = iter(list(enumerate(endpoints)))
    received: dict[int, Received] = {}

    async def user(mine: Iterator[tuple[int, Endpoint]]) -> None:
        for number, endpoint in mine:
            received[number] = await receive(http, endpoint, f"{endpoint.name}: say something")

    await asyncio.gather(*(user(waiting) for _ in range(concurrency)))
    return [received[number] for number in range(len(endpoints))]


def _endpoint(url: str, user: str, tokens: int) -> Endpoint:
    return Endpoint(user, url, "schedule", sampling=Sampling(max_tokens=tokens), extra_body={"user": user})


def _figures(received: Received) -> Figures:
    found = stream_figures(received.exchange())
    return Figures(found.ttft_s, found.ttft_answer_s, found.decode_tok_s, found.itl_p99_s, found.completion_tokens)


def main() -> None:
    """Print the means."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ours", description="Drive this project's client.")
    parser.add_argument("url")
    for name in ("concurrency", "requests", "tokens"):
        parser.add_argument(f"--{name}", type=int, required=True)
    asked = measure(**vars(parser.parse_args()))
    print(json.dumps(asdict(mean([one.figures for one in asked]))))


if __name__ == "__main__":
    main()
