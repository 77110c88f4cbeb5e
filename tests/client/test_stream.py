from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.client import stream, wire
from pytest_llmbench.client.faults import Site
from pytest_llmbench.client.sse import MAX_EVENT_BYTES
from pytest_llmbench.client.stream import Recording, fold
from pytest_llmbench.client.wire import Chunk
from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.completion import Exchange, TextChunk, Timing, Usage
from tests.client.scripted_server import MODEL, PROMPT_TOKENS, Reply, answered, chunk, cut, event, page, streamed

SITE = Site("http://user:password@host:8000/v1/chat/completions?token=t", "sk-secret")
SHOWN = "http://host:8000/v1/chat/completions"
ANSWER, REASONING = "One two  three\nfour", "I think so"


TOGETHER, GATHERED, ONE_BY_ONE = 1, 3, sys.maxsize
"""From how many plain events on they are read together."""


@pytest.fixture(scope="module", params=[TOGETHER, ONE_BY_ONE], ids=["together", "one by one"], autouse=True)
def many(request: pytest.FixtureRequest) -> Iterator[None]:
    """All of this holds for events that are read together, and for those that are not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "MANY", request.param)
        yield


def recorded(pieces: Sequence[bytes], **more: Any) -> Recording:
    """Say that piece n came after n + 1 seconds."""
    return Recording(tuple(enumerate(pieces, start=1)), ended_at_s=len(pieces) + 1, **more)


def read(reply: Reply | Sequence[bytes], **more: Any) -> Exchange:
    pieces = reply.pieces if isinstance(reply, Reply) else reply
    if isinstance(reply, Reply):
        more = {"content_type": reply.content_type or ""} | more
    return fold(recorded(pieces, **more), SITE)


def failure(reply: Reply | Sequence[bytes], **more: Any) -> str:
    with pytest.raises(EndpointError) as caught:
        read(reply, **more)
    text = str(caught.value)
    assert text.startswith(f"{SHOWN}: ")
    assert "\n" not in text
    return text


def test_an_answer() -> None:
    exchange = read(streamed(ANSWER))
    assert exchange == Exchange(
        content=ANSWER,
        reasoning=None,
        finish_reason="stop",
        usage=Usage(prompt_tokens=PROMPT_TOKENS, completion_tokens=4, reasoning_tokens=0, cached_tokens=2),
        timing=Timing(ttft_s=2, ttft_answer_s=2, last_token_s=5, e2e_s=9, text_chunks=4),
        reads=exchange.reads,
        served_model=MODEL,
        chunks=(
            TextChunk(2, 4, is_reasoning=False),
            TextChunk(3, 5, is_reasoning=False),
            TextChunk(4, 6, is_reasoning=False),
            TextChunk(5, 4, is_reasoning=False),
        ),
    )
    assert [tuple(each) for each in exchange.reads] == [
        (number, len(piece)) for number, piece in enumerate(streamed(ANSWER).pieces, start=1)
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("ping", [False, True])
@pytest.mark.parametrize("done", [False, True])
def test_forms_that_mean_the_same(newline: str, ping: bool, done: bool) -> None:  # noqa: FBT001 (parametrised)
    exchange = read(streamed(ANSWER, newline=newline, ping=ping, done=done))
    wanted = read(streamed(ANSWER))
    ended = replace(wanted.timing, e2e_s=9 if done else 8)
    assert exchange == replace(wanted, reads=exchange.reads, timing=ended)


@pytest.mark.parametrize("usage", ["own", "finish", "continuous"])
def test_usage_wherever_it_stands(usage: Any) -> None:
    assert read(streamed(ANSWER, reasoning=REASONING, usage=usage)).usage == Usage(PROMPT_TOKENS, 7, 3, 2)


@pytest.mark.parametrize("usage", ["null", "none"])
def test_usage_that_is_not_there_is_none_not_zero(usage: Any) -> None:
    assert read(streamed(ANSWER, usage=usage)).usage == Usage()


def test_a_null_after_continuous_usage_takes_nothing_back() -> None:
    pieces = [event(chunk({"content": "a"}, "stop", usage={"completion_tokens": 5})), event(chunk(None, usage=None))]
    assert read(pieces).usage.completion_tokens == 5


@pytest.mark.parametrize(
    "usage", [[], "many", 7, {"completion_tokens": "7"}, {"completion_tokens": -1}, {"completion_tokens": True},
              {"completion_tokens": 10**30}, {"completion_tokens_details": [1], "prompt_tokens_details": None}]
)  # fmt: skip
def test_malformed_usage_is_no_usage(usage: Any) -> None:
    assert read(streamed(ANSWER, usage="none", last={"usage": usage})).usage == Usage()


def test_timings_of_llama_server_are_kept_and_tell_what_was_cached() -> None:
    timings = {"cache_n": 3, "prompt_n": 4, "predicted_n": 4, "predicted_ms": 1.5}
    exchange = read(streamed(ANSWER, usage="none", done=False, last={"timings": timings}))
    assert exchange.server_timings == timings
    assert exchange.usage == Usage(cached_tokens=3)
    assert read(streamed(ANSWER, last={"timings": timings})).usage.cached_tokens == 2, "usage itself comes first"


def test_metrics_of_vllm_are_kept_as_they_were_sent() -> None:
    # As in its documentation of --enable-per-request-metrics: beside the usage, on the chunk without choices.
    metrics = {"time_to_first_token_ms": 85.2, "generation_time_ms": 1240.5, "queue_time_ms": 12.3, "mean_itl_ms": 9.1}
    exchange = read(streamed(ANSWER, last={"metrics": metrics}))
    assert exchange.server_timings == metrics
    assert exchange.usage.cached_tokens == 2
    assert read(answered(ANSWER, metrics=metrics)).server_timings == metrics, "also where nothing was streamed"


@pytest.mark.parametrize("nothing", [{}, None, 7, [1]])
def test_metrics_that_say_nothing_are_none(nothing: Any) -> None:
    # vLLM without the figures sends an empty object in a stream, and null in a whole answer.
    assert read(streamed(ANSWER, last={"metrics": nothing})).server_timings is None


@pytest.mark.parametrize("names", [["reasoning_content"], ["reasoning"], ["reasoning", "reasoning_content"]])
def test_reasoning_apart_from_the_answer(names: list[str]) -> None:
    exchange = read(streamed(ANSWER, reasoning=REASONING, reasoning_fields=names))
    assert (exchange.reasoning, exchange.content) == (REASONING, ANSWER)
    assert exchange.timing == Timing(ttft_s=2, ttft_answer_s=5, last_token_s=8, e2e_s=12, text_chunks=7)


def test_reasoning_only() -> None:
    exchange = read(streamed("", reasoning=REASONING, finish_reason="length"))
    assert (exchange.reasoning, exchange.content, exchange.finish_reason) == (REASONING, "", "length")
    assert (exchange.timing.ttft_s, exchange.timing.ttft_answer_s, exchange.timing.last_token_s) == (2, None, 4)


@pytest.mark.parametrize(
    ("content", "began_at"),
    [
        (["hello"], 1),
        (["\n", "  ", "hello"], 3),
        (["<think>", "so", "</think>", "\n\n", "hello"], 5),
        (["\n<thi", "nk>so</thi", "nk>hello"], 3),
        (["[think]", "a </think> b", "[/THINK]hello"], 3),
        (["◁think▷", "so", "◁/think▷hello"], 3),
        (["<think>the tag </think> in", " thought</think>", "hello"], None),
        (["<think>so</think>", "<think>and so</think>", "hello"], None),
        (["<|channel|>analysis<|message|>so<|end|>", "hello"], None),
        (["so", "</think>", "the tag `</think>`"], None),
        (["the tag `</think>`"], 1),
        (["```\n</think>\n```\n"], 1),
        (["see <b>", "</b>"], 1),
        (["<seed:think>so</seed:think>", "hello"], 2),
        (["<reasoning>so</reasoning>", " ", "hello"], 3),
        (["so the template opened", "</think>", "hello"], 3),
        (["hello: the text <think> is a tag, ", "</think> closes it"], 1),
        (["<think>", "never closed"], None),
        (["<think>so</think>", "  \n"], None),
        ([" "], None),
    ],
)
def test_first_text_of_the_answer_with_reasoning_between_tags(content: list[str], began_at: float | None) -> None:
    pieces = [*(event(chunk({"content": text})) for text in content), event(chunk({}, "stop"))]
    timing = read(pieces).timing
    assert timing.ttft_answer_s == began_at
    assert timing.ttft_s == 1


def test_tags_in_the_answer_of_a_server_that_tells_reasoning_apart_are_text() -> None:
    assert read(streamed("<think> opens, </think> closes", reasoning="so")).timing.ttft_answer_s == 3


def test_chunks_are_not_tokens() -> None:
    exchange = read(streamed("a b c d e f g", tokens_per_chunk=3))
    assert (exchange.usage.completion_tokens, exchange.timing.text_chunks) == (7, 3)


def test_the_time_of_an_event_is_that_of_the_read_that_completed_it() -> None:
    whole = b"".join(streamed("hello world", role_chunk=False).pieces)
    at = whole.index(b"hello")
    end = whole.index(b"\n\n", at) + 2
    assert read([whole[:at], whole[at : end - 1], whole[end - 1 :]]).timing.ttft_s == 3
    assert read([whole[:at], whole[at:end], whole[end:]]).timing.ttft_s == 2


@pytest.mark.parametrize(
    "delta",
    [
        {"content": None}, {"content": 7}, {"content": ""}, {"role": "assistant"}, {"content": [{"type": "image"}]},
        {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]}, {"reasoning": {"text": "x"}},
        {"content": "", "reasoning_content": "", "reasoning": None},
    ],
)  # fmt: skip
def test_deltas_without_text_are_no_tokens(delta: dict[str, Any]) -> None:
    exchange = read([event(chunk(delta)), *streamed("a", role_chunk=False).pieces])
    assert (exchange.content, exchange.reasoning, exchange.timing.text_chunks, exchange.timing.ttft_s) == (
        "a",
        None,
        1,
        2,
    )


def test_content_in_parts() -> None:
    pieces = [event(chunk({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "stop"))]
    assert read(pieces).content == "ab"


@pytest.mark.parametrize(
    "odd", [{"choices": None}, {"choices": [7]}, {"choices": [{"delta": None}]}, {}, {"model": 7, "timings": 7}]
)
def test_odd_chunks_are_passed_over(odd: dict[str, Any]) -> None:
    assert read([event(odd), *streamed(ANSWER).pieces]).content == ANSWER


def test_a_character_sent_in_two_halves_is_joined_and_a_lone_half_replaced() -> None:
    pieces = [event(r'{"choices":[{"delta":{"content":"a\ud83d"}}]}'), event(r'{"choices":[{"delta":{"content":"\ude00b\ud83dc"}}]}'),
              event(r'{"choices":[{"delta":{"content":"d\ud83d"},"finish_reason":"stop"}],"timings":{"a":"\ud83d"}}')]  # fmt: skip
    exchange = read(pieces)
    assert exchange.content == "a😀b\ufffdcd\ufffd"
    assert exchange.server_timings == {"a": "\ufffd"}


def test_invalid_utf8_is_replaced() -> None:
    pieces = [each.replace(b"two", b"t\xffo") for each in streamed(ANSWER).pieces]
    assert read(pieces).content == ANSWER.replace("two", "t\ufffdo")


def test_an_answer_in_one_piece_has_no_token_times() -> None:
    exchange = read(answered(ANSWER))
    assert (exchange.content, exchange.finish_reason, exchange.served_model) == (ANSWER, "stop", MODEL)
    assert exchange.timing == Timing(e2e_s=2, text_chunks=1)
    assert exchange.usage.completion_tokens == 4


@pytest.mark.parametrize("reply", [streamed(ANSWER), answered(ANSWER)])
def test_a_body_without_a_type_is_known_by_its_beginning(reply: Reply) -> None:
    assert read(reply, content_type="").content == ANSWER
    assert read(reply, content_type=f"{reply.content_type}; charset=utf-8".upper()).content == ANSWER


def test_an_empty_answer_is_an_answer() -> None:
    assert read(streamed("")).content == ""
    assert read([event("[DONE]")]).finish_reason is None


WHOLE = streamed(ANSWER, finish_reason="stop")


@pytest.mark.parametrize("keep", [0, 1, 2, 5])
@pytest.mark.parametrize("broken", [None, "the connection broke (reset)"])
def test_a_stream_that_died_is_half_an_answer(keep: int, broken: str | None) -> None:
    text = failure(cut(WHOLE, keep), broken=broken)
    assert "half-received" in text
    assert (broken or "the stream ended") in text
    assert f"after {sum(map(len, WHOLE.pieces[:keep]))} bytes" in text


def test_an_event_cut_in_the_middle_is_half_an_answer() -> None:
    text = failure([*WHOLE.pieces[:3], WHOLE.pieces[3][:-12]])
    assert "half-received" in text
    assert "holds no JSON" in text


@pytest.mark.parametrize("keep", [6, 7, 8])
def test_what_the_connection_does_after_the_finish_reason_takes_nothing_away(keep: int) -> None:
    assert read(cut(WHOLE, keep), broken="the connection broke").content == ANSWER


@pytest.mark.parametrize(
    "error",
    [
        event({"error": {"message": "CUDA out of memory", "code": 500}}),
        event({"error": "CUDA out of memory"}),
        event({"object": "error", "message": "CUDA out of memory"}),
        b"event: error\n" + event("CUDA out of memory"),
        b"event: error\n" + event({"message": "CUDA out of memory"}),
    ],
)
def test_an_error_inside_the_stream_is_quoted(error: bytes) -> None:
    for pieces in ([error], [*WHOLE.pieces[:3], error, event("[DONE]")], [*WHOLE.pieces[:-1], error]):
        assert "CUDA out of memory" in failure(pieces)


@pytest.mark.parametrize("reason", ["abort", "error"])
def test_a_server_that_aborts_gives_no_answer(reason: str) -> None:
    assert f"finish_reason {reason}" in failure(streamed(ANSWER, finish_reason=reason))


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (page(), "'<!doctype html><title>Welcome</title>'"),
        (page(b"hello", "text/plain"), "'text/plain'"),
        (page(b"<p>hello", ""), "'<p>hello'"),
        (page(b"{}", "application/json"), "no choices: '{}'"),
        (page(b'{"error": {"message": "boom"}}', "application/json"), "boom"),
        (page(b"[]", "application/json"), "error"),
        (page(b"{nonsense", "application/json"), "'{nonsense'"),
        (page(b"", "application/json"), "the body is none"),
    ],
)
def test_what_is_no_answer_is_quoted(reply: Reply, said: str) -> None:
    assert said in failure(reply)


def test_half_a_json_body_is_half_an_answer() -> None:
    assert "half-received" in failure(answered(ANSWER), broken="the connection broke")


def test_no_message_holds_the_key_or_a_control_character() -> None:
    text = failure(page(b"<p>Bearer sk-secret\x1b[2J\r\nnext</p>", "text/html"))
    assert "sk-secret" not in text
    assert text.isprintable()
    assert "password" not in text
    assert "sk-secret" not in repr(SITE)
    assert "password" not in repr(SITE)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["choices", "delta", "content", "usage", "error", "timings", "finish_reason", "message"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(st.binary(max_size=40) | st.builds(event, JSON_VALUES) | st.sampled_from(WHOLE.pieces), max_size=10),
       st.sampled_from(["text/event-stream", "application/json", "", "text/html"]))  # fmt: skip
def test_any_body_is_an_answer_or_one_line(pieces: list[bytes], content_type: str) -> None:
    try:
        exchange: Exchange | str = read(pieces, content_type=content_type)
    except EndpointError as error:
        exchange = str(error)
    if isinstance(exchange, str):
        assert exchange.isprintable()
    else:
        exchange.content.encode()
        json.dumps(exchange.server_timings)


@pytest.mark.parametrize("bomb", [b"[" * 100_000, b'{"a":' * 100_000, b"1" * 10_000])
def test_json_bombs_are_refused(bomb: bytes) -> None:
    assert "half-received" in failure([b"data: " + bomb + b"\n\n"])
    assert "the body is none" in failure([bomb], content_type="application/json")


def outcome(pieces: Sequence[bytes], many: int) -> Exchange | str:
    """Return the answer, or why there is none, with events of a read taken together from so many on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "MANY", many)
        try:
            return read(pieces)
        except EndpointError as error:
            return str(error)


HALF = b'data: {"choices":[{"delta":{"content":"\\u%s"}}]}\n\n'
"""Half a character, as JSON can hold it."""
PLAIN = [
    *streamed(ANSWER, reasoning=REASONING).pieces[:-3],
    *(event(chunk({name: "ab"})) for name in ("content", "reasoning", "reasoning_content")),
    event(chunk({"content": "c", "reasoning": "d"})), event(chunk({"reasoning": "e", "reasoning_content": "fg"})), event(chunk({"content": None})), event(chunk({"content": "\u2028 é"})),
    event({"choices": [{"delta": {"content": "a"}}], "model": "another"}), event({"choices": [{"delta": {}}], "model": ""}),
]  # fmt: skip
OTHERS = [
    *streamed("").pieces, *streamed(ANSWER, usage="continuous", ping=True).pieces,
    event(chunk({"content": ["a"]})), event(chunk(None)), event(chunk({}, "abort")), event({"error": "out of memory"}), event({}),
    event(chunk({"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]})), HALF % b"d83d", HALF % b"de00",
    b"data: {\n\n", b"data: }\n\n", b"data: {}{}\n\n", b"data: 1,2\n\n", b"data: \n\n", b"data: {}\ndata: {}\n\n", b": ping\n\n",
    b"event: error\ndata: x\n\n", b"event: y\n", b"data: \xff\n\n", b'data: {"choices":[{"delta":{"content":"\xff"}}]}\n\n', b"\n", b"\r\n", b"\xef\xbb\xbf",
]  # fmt: skip
PLAIN_READS = st.lists(st.lists(st.sampled_from(PLAIN), max_size=6).map(b"".join), max_size=6)
ANY_READS = st.lists(
    st.lists(st.sampled_from(PLAIN + OTHERS) | st.builds(event, JSON_VALUES), max_size=6).map(b"".join), max_size=6
)


@given(PLAIN_READS | ANY_READS, st.lists(st.integers(0, 10_000), max_size=3), st.booleans())
def test_events_read_together_say_what_they_say_one_by_one(reads: list[bytes], cuts: list[int], ends: bool) -> None:  # noqa: FBT001 (drawn)
    reads += [event("[DONE]")] * ends
    body = b"".join(reads)
    places = sorted({0, *itertools.accumulate(map(len, reads)), *(cut % (len(body) + 1) for cut in cuts)})
    pieces = [body[start:end] for start, end in itertools.pairwise(places)]
    assert outcome(pieces, TOGETHER) == outcome(pieces, GATHERED) == outcome(pieces, ONE_BY_ONE)


FORMS = {
    "plain": streamed(ANSWER * 9),
    "reasoning": streamed(ANSWER, reasoning=REASONING),
    "several tokens": streamed(ANSWER, tokens_per_chunk=3),
    "pings": streamed(ANSWER, ping=True),
    "CRLF": streamed(ANSWER, newline="\r\n"),
    "continuous usage": streamed(ANSWER, usage="continuous"),
    "no end": streamed(ANSWER, done=False),
    "aborted": streamed(ANSWER, finish_reason="abort"),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("size", [1, 50, 700, sys.maxsize])
def test_whole_streams_in_reads_of_any_size_say_the_same_either_way(name: str, size: int) -> None:
    body = b"".join(FORMS[name].pieces)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    found = outcome(pieces, TOGETHER)
    assert found == outcome(pieces, GATHERED) == outcome(pieces, ONE_BY_ONE)
    assert isinstance(found, str) == (name == "aborted")
    if isinstance(found, Exchange):
        assert found.content == (ANSWER * 9 if name == "plain" else ANSWER)


def test_what_the_server_said_before_a_fault_of_the_stream_counts() -> None:
    pieces = [event(chunk({"content": "a"})), event({"error": "out of memory"}), b"data: " + b"a" * MAX_EVENT_BYTES]
    assert "out of memory" in failure(pieces)
    assert "an event of more than" in failure([pieces[0], *pieces[2:]])


def test_plain_events_are_gathered_and_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def read_chunk(data: bytes) -> Chunk:
        seen.append(data)
        return wire.read_chunk(data)

    monkeypatch.setattr(stream, "MANY", 4)
    monkeypatch.setattr(stream, "read_chunk", read_chunk)
    role, *words, finish, usage, done = streamed(" ".join("abcdefg")).pieces
    wanted = [each.strip()[len("data: ") :] for each in (role, finish, usage, done)]
    read([role, b"".join(words[:3]), b"".join(words[3:]), finish, usage, done])
    assert seen == wanted, "seven events of two reads are read together, and the three that are left one by one"
