"""Decode and prefill of this client beside what a real llama-server says of the very same answers.

    python -m benchmarks.server_timings [--url URL --model MODEL] [--rounds N]

llama-server ends each answer with its own `timings`. Only their times and counts are used: its rates count differently in
each version. Its clock of the answer starts when the first token is there, so `predicted_n` tokens lie `predicted_n - 1`
intervals apart, as in the client's decode rate. Its rate of prefill is the slope of `prompt_ms` over `prompt_n`, as the
client's is that of TTFT over the prompt's tokens: the way to the server and the tokeniser are in TTFT, and not in `prompt_ms`.

Four situations: one request at a time; four users at a time, for decode, because a prompt that waits for another one
waits in TTFT alone; one at a time beside three answers that go on all the while, for prefill with four in flight; and two
prompts that the server is told to take nothing of from its cache, to see that both sides say 0 then.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from benchmarks.llama import MODEL, llama_server
from pytest_llmbench import client
from pytest_llmbench.load.asking import Asker
from pytest_llmbench.load.preparation import prepare
from pytest_llmbench.load.questions import Questions
from pytest_llmbench.model.completion import Exchange
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.figures import StreamFigures, stream_figures
from pytest_llmbench.speed.prefill import PrefillPoint, prefill
from pytest_llmbench.speed.workloads import Workload

BOUND = 2.0
"""Per cent: of the median of the answers for decode, of the median of the rounds for prefill."""
CACHED_BOUND = 1.0
"""Per cent of the prompt: two prompts share the few tokens with which a chat template begins, and perhaps two letters."""
USERS = 4
LENGTHS_TOKENS = (1024, 4096, 8192, 12288)
"""Long ones: what becomes of a prompt before and after the server's clock of it runs is some milliseconds, and beside others
also a step of theirs."""
ALONE = Workload(
    "alone", prompt_tokens=12288, answer_tokens=96, lengths_tokens=LENGTHS_TOKENS, requests=len(LENGTHS_TOKENS)
)
TOGETHER = replace(ALONE, name="together", concurrency=USERS, requests=8, lengths_tokens=(512,) * 8, prompt_tokens=512)
BESIDE = replace(ALONE, name="beside", answer_tokens=8)
UNCACHED = replace(ALONE, name="uncached", answer_tokens=8, lengths_tokens=(512, 1024), requests=2)
ENDLESS = Workload("endless", prompt_tokens=64, answer_tokens=12_000, concurrency=USERS - 1, requests=USERS - 1)
"""Longer than everything that is measured beside it; cut off at the end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, by the client's word and by the server's."""

    ours: StreamFigures
    prompt_n: int
    prompt_ms: float
    predicted_n: int
    predicted_ms: float
    cache_n: int

    @property
    def prompt_tokens(self) -> int:
        """All of the prompt."""
        return self.prompt_n + self.cache_n

    @property
    def decode_error(self) -> float:
        """By how many per cent the client's decode rate is above the server's.

        Raises:
            ValueError: one of the two is not known.
        """
        if self.ours.decode_tok_s is None or self.predicted_n <= 1:
            raise ValueError(f"no decode rate: {self.ours.unknown.get('decode_tok_s', self)}")
        return 100 * (self.ours.decode_tok_s * self.predicted_ms / 1e3 / (self.predicted_n - 1) - 1)

    @property
    def on_the_way_s(self) -> float:
        """Seconds of TTFT before the server began with the prompt, and after it had the first token."""
        return (self.ours.ttft_s or 0.0) - self.prompt_ms / 1e3


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the output."""

    about: str
    figure: float
    bound: float
    unit: str
    more: str

    @property
    def is_met(self) -> bool:
        """Whether the figure is within its bound."""
        return abs(self.figure) <= self.bound

    def __str__(self) -> str:
        sign = "+" if self.unit == "%" else ""
        word = "ok" if self.is_met else "OVER"
        return f"{self.about:32} {self.figure:{sign}.2f} {self.unit} (bound {self.bound:g}) {word}; {self.more}"


def verdicts(found: Mapping[str, Sequence[Answer]]) -> list[Verdict]:
    """Hold the answers of each situation against the server's word.

    Raises:
        ValueError: a figure is not known.
    """
    return [
        _decode("decode, one at a time", found["alone"]),
        _decode(f"decode, {USERS} at a time", found["together"]),
        _prefill("prefill, one at a time", found["alone"]),
        _prefill(f"prefill, {USERS} in flight", found["beside"]),
        _cached("cached, cache on", [answer for answers in found.values() for answer in answers], CACHED_BOUND),
        _cached("cached, cache off", found["uncached"], 0.0),
    ]


def _decode(about: str, answers: Sequence[Answer]) -> Verdict:
    errors = [answer.decode_error for answer in answers]
    rate = median(answer.ours.decode_tok_s or 0.0 for answer in answers)
    more = f"{rate:.1f} tok/s; {len(errors)} answers from {min(errors):+.2f} % to {max(errors):+.2f} %"
    return Verdict(about, median(errors), BOUND, "%", more)


def _prefill(about: str, answers: Sequence[Answer]) -> Verdict:
    size = len(LENGTHS_TOKENS)
    rounds = [answers[begin : begin + size] for begin in range(0, len(answers), size)]
    ours = [_slope([(answer.prompt_n, answer.ours.ttft_s or 0.0) for answer in each]) for each in rounds]
    theirs = [_slope([(answer.prompt_n, answer.prompt_ms / 1e3) for answer in each]) for each in rounds]
    errors = [100 * (mine / its - 1) for mine, its in zip(ours, theirs, strict=True)]
    way_ms = 1e3 * median(answer.on_the_way_s for answer in answers)
    more = (
        f"{median(ours):,.0f} tok/s; rounds: {len(errors)}, from {min(errors):+.2f} % to {max(errors):+.2f} %;"
        f" {way_ms:.1f} ms of TTFT outside its prompt_ms"
    )
    return Verdict(about, median(errors), BOUND, "%", more)


def _slope(points: Sequence[tuple[int, float]]) -> float:
    found = prefill([PrefillPoint(tokens, seconds) for tokens, seconds in points])
    if isinstance(found, Unknown):
        raise ValueError(found.reason)  # noqa: TRY004 (a figure that is not there is no wrong type)
    return found.rate_tok_s


def _cached(about: str, answers: Sequence[Answer], bound: float) -> Verdict:
    if any(answer.ours.cached_tokens != answer.cache_n for answer in answers):
        raise ValueError(f"client and server differ in cached tokens: {answers}")
    worst = max(answers, key=lambda answer: answer.cache_n / answer.prompt_tokens)
    more = f"at most {worst.cache_n} of {worst.prompt_tokens} prompt tokens, by the client's and the server's word"
    return Verdict(about, 100 * worst.cache_n / worst.prompt_tokens, bound, "%", more)


async def measure(url: str, model: str, rounds: int) -> dict[str, list[Answer]]:
    """Ask a llama-server in all situations.

    Raises:
        EndpointError: it gives no answers.
        ValueError: its answers have no `timings`.
    """
    timeouts = client.Timeouts()
    endpoint = Endpoint("llama", url, model)
    questions = Questions(
        endpoint, secrets.token_hex(8)
    )  # what an earlier run asked may still be in the server's cache
    found: dict[str, list[Answer]] = {}
    async with client.open_client(timeouts) as http:
        asker = Asker(http, endpoint, None, timeouts)
        for workload in (ALONE, TOGETHER):
            await prepare(asker, questions, workload)
            await _round(asker, questions, workload)  # warm-up
            found[workload.name] = [
                answer for _ in range(rounds) for answer in await _round(asker, questions, workload)
            ]
        async with _others(asker, questions):
            # More of them: how long each prompt waits for a step of the others is chance, and worth some per cent of a round.
            found[BESIDE.name] = [
                answer for _ in range(6 * rounds) for answer in await _round(asker, questions, BESIDE)
            ]
        found[UNCACHED.name] = await _round(asker, questions, UNCACHED, {"cache_prompt": False})
    return found


async def _round(
    asker: Asker, questions: Questions, workload: Workload, more: Mapping[str, Any] | None = None
) -> list[Answer]:
    lengths = workload.lengths_tokens
    bodies = [questions.body(replace(workload, prompt_tokens=tokens))[0] | dict(more or {}) for tokens in lengths]
    done = await asker.round(workload, bodies)
    errors = [each.error for each in done.answered if each.error is not None]
    if errors:
        raise ValueError(errors[0])
    return [_answer(flight.exchange) for flight in done.flights if flight.exchange is not None]


def _answer(exchange: Exchange) -> Answer:
    said: Mapping[str, Any] = exchange.server_timings or {}
    names = ("prompt_n", "prompt_ms", "predicted_n", "predicted_ms", "cache_n")
    missing = [name for name in names if name not in said]
    if missing:
        raise ValueError(f"the server's timings lack {', '.join(missing)}; is it a llama-server?")
    return Answer(stream_figures(exchange), *(said[name] for name in names))


@asynccontextmanager
async def _others(asker: Asker, questions: Questions) -> AsyncIterator[None]:
    """Keep answers going beside what happens in the block."""
    bodies = [questions.body(ENDLESS)[0] for _ in range(ENDLESS.requests)]
    others = asyncio.create_task(asker.round(ENDLESS, bodies))
    try:
        yield
        if others.done():
            raise ValueError("the answers beside the measured ones ended before them")
    finally:
        others.cancel()
        with suppress(asyncio.CancelledError):
            await others


def main() -> None:
    """Print one line for each figure; the exit status is 1 if one is beyond its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server_timings", description="Client and llama-server.")
    parser.add_argument("--url", help="of a llama-server that runs, with four slots; none: one is started")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with nullcontext(arguments.url) if arguments.url else llama_server(USERS) as url:
        found = verdicts(asyncio.run(measure(url, arguments.model, arguments.rounds)))
    for verdict in found:
        print(verdict)
    sys.exit(not all(verdict.is_met for verdict in found))


if __name__ == "__main__":
    main()
