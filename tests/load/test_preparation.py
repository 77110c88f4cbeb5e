"""What is learned of a server before it is measured, from a server whose own account of each request is known."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks.schedule_server import Server, serve
from pytest_llmbench import client
from pytest_llmbench.errors import ContextTooSmallError, EndpointError
from pytest_llmbench.load.asking import Asker
from pytest_llmbench.load.preparation import PROBE_ANSWER_TOKENS, PROMPTS_OF_A_LENGTH, TRIES, prepare
from pytest_llmbench.load.questions import DIALECTS, Questions
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.speed.workloads import CACHED_PREFIX, SHAPES, SINGLE_STREAM, Workload

QUICK = ("ttft_ms=1", "interval_ms=0")
PROSE = Workload("prose", prompt_tokens=700, answer_tokens=3, requests=6)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(*QUICK) as running:
        yield running


def learn(url: str, *workloads: Workload, model: str = "schedule") -> tuple[Questions, list[int | None]]:
    """Prepare for each workload, one after the other; then ask one round of the last, and return its prompts' tokens."""

    async def main() -> tuple[Questions, list[int | None]]:
        endpoint, timeouts = Endpoint("s", url, model), client.Timeouts()
        questions = Questions(endpoint, "seed")
        async with client.open_client(timeouts) as http:
            asker = Asker(http, endpoint, None, timeouts)
            for workload in workloads:
                await prepare(asker, questions, workload)
            last = workloads[-1]
            done = await asker.round(last, [questions.body(last)[0] for _ in range(last.requests)])
        exchanges = [flight.exchange for flight in done.flights if flight.exchange is not None]
        return questions, [exchange.usage.prompt_tokens for exchange in exchanges]

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("refused", "learned"),
    [
        ("", DIALECTS[0]),
        ("stream_options.continuous_usage_stats", DIALECTS[1]),
        ("min_tokens", DIALECTS[2]),
        ("stream_options.continuous_usage_stats,ignore_eos", DIALECTS[2]),
    ],
)
def test_the_most_telling_way_of_asking_that_a_server_takes(refused: str, learned: object) -> None:
    with serve(*QUICK, f"refuse={refused}") as strict:
        questions, tokens = learn(strict.url, PROSE)
    assert questions.dialect is learned
    assert len(tokens) == PROSE.requests


def test_a_server_that_takes_no_way_of_asking_is_an_error_in_its_own_words() -> None:
    with serve(*QUICK, "refuse=max_tokens") as strict, pytest.raises(EndpointError, match="not permitted: max_tokens"):
        learn(strict.url, PROSE)


@pytest.mark.parametrize(
    ("workload", "within"),
    [
        (PROSE, 0.01),
        (replace(PROSE, depth_tokens=5000), 0.01),
        (replace(PROSE, depth_tokens=9000), 0.01),
        (replace(SHAPES["code"], requests=6), 0.02),
        (replace(SHAPES["agentic"], requests=6), 0.02),
        (replace(SHAPES["agentic-c4"], prompt_tokens=6000), 0.02),
        (replace(CACHED_PREFIX, requests=3), 0.02),
    ],
    ids=["prose", "deep", "deeper", "code", "agentic", "long agentic", "shared prefix"],
)
def test_prompts_are_as_long_as_wanted_by_the_servers_count(server: Server, workload: Workload, within: float) -> None:
    _, tokens = learn(server.url, replace(workload, answer_tokens=3))
    wanted = workload.depth_tokens + workload.prompt_tokens
    assert len(tokens) == workload.requests
    for each in tokens:
        assert each == pytest.approx(wanted, rel=within)


def test_lengths_of_a_workload_are_counted_one_by_one(server: Server) -> None:
    questions, _ = learn(server.url, replace(PROSE, lengths_tokens=(300, 700, 1500)))
    assert {length.tokens for length in questions.corrections} == {300, 700, 1500}


def test_what_is_known_is_not_asked_again(server: Server) -> None:
    def asked(*workloads: Workload) -> int:
        before = len(server.log())
        learn(server.url, *workloads)
        return len(server.log()) - before - workloads[-1].requests

    longer = replace(PROSE, prompt_tokens=2000)
    once = asked(PROSE)
    assert asked(PROSE, PROSE) == once
    # Of a second length, only prompts of that length are counted: no way of asking, no calibration.
    assert once < asked(PROSE, longer) <= once + TRIES * PROMPTS_OF_A_LENGTH


def test_probes_are_short(server: Server) -> None:
    before = len(server.log())
    learn(server.url, PROSE)
    lengths = {entry.completion_tokens for entry in server.log(before)}
    assert lengths == {PROBE_ANSWER_TOKENS, PROSE.answer_tokens}


def test_a_server_that_counts_no_tokens_gets_prompts_of_a_guessed_length() -> None:
    with serve(*QUICK, "usage=none") as silent:
        questions, tokens = learn(silent.url, SINGLE_STREAM)
    assert (questions.calibrations, questions.corrections) == ({}, {})
    assert tokens == [None]


def test_a_server_that_cuts_prompts_in_silence_is_found_out() -> None:
    with serve(*QUICK, "cut_tokens=2048") as cutting:
        _, tokens = learn(cutting.url, PROSE)
        assert tokens[0] == pytest.approx(700, rel=0.01)
        with pytest.raises(ContextTooSmallError, match="of a prompt of some 8192 tokens the server counted 2048"):
            learn(cutting.url, replace(PROSE, prompt_tokens=8192))
