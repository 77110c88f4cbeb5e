from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.client.wire import Chunk, lenient, read_chunk

TEXTS = st.none() | st.text(max_size=6)
DELTAS = st.fixed_dictionaries({}, optional={
    "role": TEXTS, "content": TEXTS, "reasoning": TEXTS, "reasoning_content": TEXTS,
    "tool_calls": st.lists(st.fixed_dictionaries({"function": st.fixed_dictionaries({}, optional={"name": TEXTS, "arguments": TEXTS})}), max_size=2),
})  # fmt: skip
COUNTS = st.none() | st.dictionaries(st.sampled_from(["completion_tokens", "predicted_n"]), st.integers(0, 99))
CHUNKS = st.fixed_dictionaries({}, optional={
    "id": TEXTS, "model": TEXTS, "usage": COUNTS, "timings": COUNTS, "metrics": COUNTS,
    "error": st.none() | st.text() | st.booleans(),
    "choices": st.lists(st.fixed_dictionaries({"index": st.just(0), "delta": DELTAS}, optional={
        "finish_reason": TEXTS, "token_ids": st.none() | st.lists(st.integers()), "logprobs": st.none() | st.just({"content": [{"token": "a"}]}),
    }), max_size=2),
})  # fmt: skip


def meaning(chunk: Chunk) -> Any:
    """Reduce a chunk to what counts: an absent field and an empty one mean the same, entries are only counted."""
    choices = [
        (
            each.delta and (each.delta.content or "", each.delta.reasoning or "", each.delta.reasoning_content or "",
                            [(call.function.name, call.function.arguments) for call in each.delta.tool_calls or () if call.function]),
            each.finish_reason,
            len(each.token_ids or ()),
            len((each.logprobs and each.logprobs.content) or ()),
        )
        for each in chunk.choices or ()
    ]  # fmt: skip
    return choices, chunk.model, chunk.usage or {}, chunk.timings or {}, chunk.server_timings or {}, chunk.is_error


@given(CHUNKS)
def test_both_readings_say_the_same(value: dict[str, Any]) -> None:
    strict = msgspec.json.decode(json.dumps(value), type=Chunk)
    assert meaning(strict) == meaning(lenient(value)) == meaning(read_chunk(json.dumps(value).encode()))


@pytest.mark.parametrize("data", [b"", b" ", b"{", b"[DONE]", b"{'a': 1}", b"nan(", b"[" * 100_000, b"1" * 10_000])
def test_what_is_no_json(data: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_chunk(data)


@pytest.mark.parametrize("data", [b"[]", b"7", b"null", b'"text"', b'{"error": "x"}', b'{"object": "error"}'])
def test_an_error_or_no_object(data: bytes) -> None:
    assert read_chunk(data).is_error


def test_text_that_msgspec_refuses() -> None:
    def content(data: bytes) -> str | None:
        choices = read_chunk(
            b'{"choices":[{"delta":{"content":"%s"}}],"x":NaN}' % data
        ).choices  # NaN is no JSON, but common
        assert choices is not None
        assert choices[0].delta is not None
        return choices[0].delta.content

    assert content(rb"a\ud83d") == "a\ud83d", "half a character; the other half comes with the next chunk"
    assert content(b"a\xff") == "a\ufffd"
    assert content("😀".encode()) == "😀"
