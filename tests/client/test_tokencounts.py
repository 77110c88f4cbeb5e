from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from pytest_llmbench.client.deltas import Deltas
from pytest_llmbench.client.wire import lenient, read_chunk
from tests.client.scripted_server import chunk


def usage(tokens: Any) -> dict[str, Any]:
    return {"usage": {"prompt_tokens": 7, "completion_tokens": tokens}}


def with_ids(delta: dict[str, Any], *ids: int) -> dict[str, Any]:
    found = chunk(delta)
    found["choices"][0]["token_ids"] = list(ids)
    return found


def with_logprobs(delta: dict[str, Any], count: int) -> dict[str, Any]:
    found = chunk(delta)
    found["choices"][0]["logprobs"] = {"content": [{"token": "a", "logprob": -0.5}] * count}
    return found


def text(value: str = "a") -> dict[str, Any]:
    return {"content": value}


ROLE = {"role": "assistant", "content": ""}


def tokens(chunks: Sequence[dict[str, Any]]) -> list[int | None]:
    deltas = Deltas()
    for at_s, each in enumerate(chunks):
        deltas.take(read_chunk(json.dumps(each).encode()), at_s)
    return [each.tokens for each in deltas.exchange(len(chunks)).chunks]


SAID: dict[str, tuple[list[dict[str, Any]], list[int | None]]] = {
    "nothing": ([chunk(ROLE), chunk(text()), chunk(text())], [None, None]),
    "token ids": ([chunk(ROLE), with_ids(text(), 1), with_ids(text(), 2, 3)], [1, 2]),
    "token ids of half a character": ([with_ids(text(), 1), with_ids({"content": ""}, 2), with_ids(text(), 3)], [1, 2]),
    "token ids, not with all": ([with_ids(text(), 1), chunk(text())], [None, None]),
    "log probabilities": ([with_logprobs(text(), 3), with_logprobs(text(), 1)], [3, 1]),
    "token ids before usage": ([with_ids(text(), 1) | usage(9), with_ids(text(), 2) | usage(10)], [1, 1]),
    "continuous usage": ([chunk(ROLE, **usage(0)), chunk(text(), **usage(1)), chunk(text(), **usage(4)), chunk(None, **usage(5))], [1, 3]),
    "continuous usage, hidden tokens first": ([chunk(ROLE, **usage(2)), chunk(text(), **usage(3)), chunk(text(), **usage(4))], [3, 1]),
    "usage with the last text only": ([chunk(text()), chunk(text()), chunk(text(), **usage(9))], [None] * 3),
    "usage of one event": ([chunk(text(), **usage(9))], [9]),
    "usage that stands still": ([chunk(text(), **usage(0)), chunk(text(), **usage(0)), chunk(text(), **usage(9))], [None] * 3),
    "usage that stands still at 1": ([chunk(text(), **usage(each)) for each in (1, 1, 1, 1, 5)], [None] * 5),
    "usage that falls": ([chunk(text(), **usage(each)) for each in (1, 3, 2)], [None] * 3),
    "usage that is none": ([chunk(text(), **usage(each)) for each in (1, None, 2)], [None] * 3),
    "a token sent in two events": ([chunk(text(), **usage(each)) for each in (1, 2, 2, 3)], [1, 1, 0, 1]),
    "llama.cpp's timings": ([chunk(text(), timings={"predicted_n": 1}), chunk(text(), timings={"predicted_n": 3})], [1, 2]),
    "timings in the end only": ([chunk(text()), chunk(text(), timings={"predicted_n": 3})], [None, None]),
    "reasoning": ([with_ids({"reasoning": "so"}, 1), with_ids({"reasoning_content": "so"}, 2, 3), with_ids(text(), 4)], [1, 2, 1]),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_what_a_server_says_of_its_tokens(name: str) -> None:
    chunks, wanted = SAID[name]
    assert tokens(chunks) == wanted


@pytest.mark.parametrize("name", SAID)
def test_the_lenient_reading_counts_alike(name: str) -> None:
    chunks, wanted = SAID[name]
    deltas = Deltas()
    for at_s, each in enumerate(chunks):
        deltas.take(lenient(each), at_s)
    assert [each.tokens for each in deltas.exchange(9).chunks] == wanted


def test_chunks_have_time_length_and_kind() -> None:
    deltas = Deltas()
    called = {"tool_calls": [{"index": 0, "function": {"name": "add", "arguments": '{"a":'}}]}
    sent: list[dict[str, Any]] = [ROLE, {"reasoning": "so"}, text("abcd"), {"content": "e", "reasoning": "f"}, called]
    for at_s, delta in enumerate(sent):
        deltas.take(read_chunk(json.dumps(chunk(delta)).encode()), at_s)
    exchange = deltas.exchange(9)
    assert [(each.at_s, each.chars, each.is_reasoning) for each in exchange.chunks] == [
        (1, 2, True), (2, 4, False), (3, 2, False), (4, 8, False),
    ]  # fmt: skip
    assert (exchange.timing.text_chunks, exchange.timing.last_token_s) == (3, 3), "a tool call is no text of the answer"
