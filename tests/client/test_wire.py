from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.client.wire import Chunk, lenient, read_chunk, read_plain

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


PLAIN = [
    # vLLM, SGLang, llama-server, Ollama; each as it sends them.
    b'{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a"},"logprobs":null,"finish_reason":null,"token_ids":null}]}',
    b'{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":null,"content":null,"reasoning_content":"a","tool_calls":null},"logprobs":null,"finish_reason":null,"matched_stop":null}],"usage":null}',
    b'{"choices":[{"finish_reason":null,"index":0,"delta":{"role":"assistant","content":null}}],"created":1,"id":"chatcmpl-1","model":"m","system_fingerprint":"b1","object":"chat.completion.chunk"}',
    b'{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"a"},"finish_reason":null}]}',
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN)
def test_what_servers_send_is_plain(value: bytes) -> None:
    assert read_plain([value]) is not None


@given(st.lists(CHUNKS | st.sampled_from(PLAIN).map(json.loads), max_size=3))
def test_the_plain_reading_says_the_same_or_nothing(values: list[dict[str, Any]]) -> None:
    data = [json.dumps(value).encode() for value in values]
    chunks = read_plain(data)
    if chunks is not None:
        read = [msgspec.convert(msgspec.to_builtins(chunk), Chunk) for chunk in chunks]
        assert list(map(meaning, read)) == [meaning(read_chunk(each)) for each in data]
        assert all(len(each.choices or ()) == 1 for each in read)


ODD_CHOICES: list[dict[str, Any]] = [{"finish_reason": "stop"}, {"finish_reason": ""}, {"token_ids": []}, {"logprobs": {}}, {"message": {}}]  # fmt: skip
TEXT = {"choices": [{"delta": {"content": "a"}}]}


@pytest.mark.parametrize(
    "more",
    [
        {"usage": {"completion_tokens": 1}}, {"usage": {}}, {"timings": {"predicted_n": 1}}, {"metrics": {}}, {"error": "x"}, {"error": False},
        {"object": "error"}, {"object": "chat.completion"}, {"model": 7}, {"choices": []}, {"choices": None}, {"choices": TEXT["choices"] * 2},
        {"choices": [{"delta": None}]}, {"choices": [{"delta": {"content": ["a"]}}]}, {"choices": [{"delta": {"tool_calls": []}}]},
        *({"choices": [{"delta": {"content": "a"}} | choice]} for choice in ODD_CHOICES),
    ],
)  # fmt: skip
def test_what_is_more_than_text_is_not_plain(more: dict[str, Any]) -> None:
    text, other = (json.dumps(value).encode() for value in (TEXT, TEXT | more))
    assert read_plain([text]) is not None
    assert read_plain([text, other]) is None


@pytest.mark.parametrize(
    "data", [b"", b"[DONE]", b"7", b"[]", b'{"choices":[{"delta":{"content":"\xff"}}]}', b"[" * 100_000]
)
def test_what_is_no_chunk_is_not_plain(data: bytes) -> None:
    assert read_plain([data]) is None


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
