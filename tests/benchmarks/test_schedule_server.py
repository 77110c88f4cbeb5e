"""A real server process, asked over plain sockets."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.schedule_server import Entry, Server, serve
from benchmarks.schedule_server.log import decode
from benchmarks.schedule_server.wording import split
from tests.benchmarks.raw import CHAT, ask, chat, chunks, deltas, text

ROOT = Path(__file__).parents[2]
LAST_CHUNK = b"0\r\n\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve("ttft_ms=20", "interval_ms=1", "tokens=12") as running:
        yield running


def last_entry(server: Server) -> Entry:
    return server.log()[-1]


def test_an_answer_keeps_its_schedule_and_the_log_says_so(server: Server) -> None:
    assert len(split(text(chat(server)))) == 12
    entry = last_entry(server)
    due = [write.due_s - entry.arrived_s for write in entry.tokens]
    assert due == pytest.approx([0.020 + 0.001 * token for token in range(12)], abs=1e-6)
    assert [write.tokens for write in entry.writes] == [1] * 12 + [0]
    assert min(entry.lateness_s) >= 0
    assert entry.is_whole
    assert entry.arrived_s <= entry.read_s <= entry.writes[0].at_s


@pytest.mark.parametrize(
    ("options", "due_ms", "tokens"),
    [
        ({"tokens_per_chunk": 3, "tokens": 8}, [20, 23, 25], [3, 3, 2]),
        ({"stall_ms": 50, "stall_at": 2, "tokens": 4}, [20, 21, 72, 73], [1, 1, 1, 1]),
        ({"prefill_us": 5000, "tokens": 2}, [30, 31], [1, 1]),  # the prompt has two tokens
        ({"ttft_ms": 0, "tokens": 2}, [0, 1], [1, 1]),
        ({"interval_ms": 0, "tokens": 300}, [20], [300]),
    ],
)
def test_each_pace(server: Server, options: dict[str, float], due_ms: list[float], tokens: list[int]) -> None:
    chat(server, schedule=options)
    entry = last_entry(server)
    assert [1e3 * (write.due_s - entry.arrived_s) for write in entry.tokens] == pytest.approx(due_ms, abs=1e-3)
    assert [write.tokens for write in entry.tokens] == tokens


def test_options_come_from_model_query_and_body(server: Server) -> None:
    def length(path: str = CHAT, **body: Any) -> int:
        return len(split(text(chat(server, path, model="m?tokens=5", **body))))

    assert length() == 5
    assert length(f"{CHAT}?tokens=6") == 6
    assert length(f"{CHAT}?tokens=6", schedule={"tokens": 7}) == 7


def test_usage_on_a_last_chunk_of_its_own_if_asked_for(server: Server) -> None:
    found = chat(server)
    assert found[-1]["choices"] == []
    assert found[-1]["usage"] == {
        "prompt_tokens": 2,
        "completion_tokens": 12,
        "total_tokens": 14,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    assert not any("usage" in chunk for chunk in found[:-1])
    assert not any("usage" in chunk for chunk in chat(server, stream_options=None))


def test_usage_on_the_finish_chunk_on_every_chunk_and_nowhere(server: Server) -> None:
    on_finish = chat(server, schedule={"usage": "finish"})
    assert [("usage" in chunk) for chunk in on_finish] == [False] * 13 + [True]
    assert on_finish[-1]["choices"][0]["finish_reason"] == "stop"
    everywhere = chat(server, schedule={"usage": "continuous", "tokens_per_chunk": 5})
    assert [chunk["usage"]["completion_tokens"] for chunk in everywhere] == [0, 5, 10, 12, 12]
    assert not any("usage" in chunk for chunk in chat(server, schedule={"usage": "none"}))


def test_reasoning_comes_first_in_the_field_asked_for(server: Server) -> None:
    found = chat(server, schedule={"reasoning": 5, "reasoning_field": "both"})
    assert len(split(text(found, "reasoning"))) == 5
    assert text(found, "reasoning") == text(found, "reasoning_content")
    assert len(split(text(found))) == 7
    assert found[-1]["usage"]["completion_tokens_details"] == {"reasoning_tokens": 5}
    only = chat(server, schedule={"reasoning": 1000, "reasoning_field": "reasoning"})
    assert (text(only), len(split(text(only, "reasoning"))), text(only, "reasoning_content")) == ("", 12, "")


@pytest.mark.parametrize(("role", "writes"), [("first", [1, 1, 0]), ("early", [0, 1, 1, 0]), ("none", [1, 1, 0])])
def test_the_role_chunk(server: Server, role: str, writes: list[int]) -> None:
    found = chat(server, schedule={"role": role, "tokens": 2})
    assert [delta for delta in deltas(found) if "role" in delta] == (
        [{"role": "assistant", "content": ""}] * (role != "none")
    )
    entry = last_entry(server)
    assert [write.tokens for write in entry.writes] == writes
    if role == "early":
        assert entry.writes[0].due_s == pytest.approx(entry.arrived_s)


def test_comments_come_between_until_the_end(server: Server) -> None:
    _, stream = ask(server, model="m", messages=[], stream=True, schedule={"ping_ms": 8.5})
    assert stream.count(b": ping\n\n") == 3  # the last token comes at 31 ms
    assert [write.tokens for write in last_entry(server).writes] == [0, 0, *[1] * 6, 0, *[1] * 6, 0]
    assert len(split(text(chunks(stream)))) == 12


def test_token_ids(server: Server) -> None:
    found = chat(server, schedule={"token_ids": True, "tokens_per_chunk": 3})
    ids = [choice.get("token_ids") for chunk in found for choice in chunk["choices"]]
    assert [None if one is None else len(one) for one in ids] == [None, 3, 3, 3, 3, None]
    status, body = ask(server, "/tokenize", content=text(found))
    assert (status, json.loads(body)["tokens"]) == (200, [one for some in ids if some for one in some])


def test_a_tool_call_is_streamed_as_arguments(server: Server) -> None:
    found = chat(server, schedule={"tool_call": True})
    calls = [delta["tool_calls"][0] for delta in deltas(found) if "tool_calls" in delta]
    assert calls[0]["function"]["name"] == "write_file"
    assert len(split(json.loads("".join(call["function"]["arguments"] for call in calls))["text"])) == 12
    assert found[-2]["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("asked", "reason", "tokens"),
    [
        ({"max_tokens": 5}, "length", 5),
        ({"max_completion_tokens": 4}, "length", 4),
        ({"max_tokens": 50}, "stop", 12),
        ({"schedule": {"finish_reason": "abort"}}, "abort", 12),
        ({"schedule": {"answer": "Yes, it is."}}, "stop", 5),
        ({"schedule": {"text": "loop"}}, "stop", 12),
    ],
)
def test_how_it_ends(server: Server, asked: dict[str, Any], reason: str, tokens: int) -> None:
    found = chat(server, **asked)
    assert found[-2]["choices"][0]["finish_reason"] == reason
    assert found[-1]["usage"]["completion_tokens"] == tokens == len(split(text(found)))
    if asked == {"schedule": {"answer": "Yes, it is."}}:
        assert text(found) == "Yes, it is."
    if asked == {"schedule": {"text": "loop"}}:
        assert len(set(split(text(found)))) == 1


def test_without_done_the_body_still_ends(server: Server) -> None:
    _, stream = ask(server, model="m", messages=[], stream=True, schedule={"done": False})
    assert b"[DONE]" not in stream
    assert b'"finish_reason":"stop"' in stream


def test_plain_completions_and_answers_that_are_not_streamed(server: Server) -> None:
    _, whole = ask(server, model="m", messages=[{"role": "user", "content": "hi"}], schedule={"reasoning": 4})
    message = json.loads(whole)["choices"][0]["message"]
    assert (len(split(message["content"])), len(split(message["reasoning_content"]))) == (8, 4)
    assert len(split(json.loads(ask(server, "/v1/completions", model="m", prompt="hi")[1])["choices"][0]["text"])) == 12
    _, stream = ask(server, "/v1/completions", model="m", prompt="hi", stream=True)
    assert len(split("".join(chunk["choices"][0]["text"] for chunk in chunks(stream)))) == 12


def test_a_prompt_seen_before_is_cached_in_blocks(server: Server) -> None:
    def cached(prompt: str) -> int:
        messages = [{"role": "user", "content": prompt}]
        found = chat(server, messages=messages, schedule={"prefix_cache": True, "prefill_us": 1000, "tokens": 1})
        count: int = found[-1]["usage"]["prompt_tokens_details"]["cached_tokens"]
        entry = last_entry(server)
        uncached = entry.prompt_tokens - count
        assert entry.first_due_s - entry.arrived_s == pytest.approx(0.020 + 0.001 * uncached, abs=1e-6)
        return count

    begin = "one two three " * 12  # 36 tokens
    assert cached(begin + "alpha") == 0
    assert cached(begin + "beta") == 32
    assert cached("other " + begin) == 0
    assert cached("same " * 15 + "same") == 0
    assert cached("same " * 15 + "same") == 15  # the last token is never taken from the cache


def test_a_bound_is_shared_by_all_answers(server: Server) -> None:
    connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=30) for _ in range(4)]
    body = {"model": "m", "messages": [], "stream": True, "schedule": {"bound_tok_s": 400, "tokens": 20}}
    for connection in connections:
        connection.request("POST", "/v1/chat/completions", json.dumps(body))
    for connection in connections:
        assert connection.getresponse().read()
        connection.close()
    writes = sorted(write.due_s for entry in server.log()[-4:] for write in entry.tokens)
    gaps = [later - earlier for earlier, later in itertools.pairwise(writes)]
    assert min(gaps) == pytest.approx(1 / 400, rel=0.01)
    # Alone, the last answer would have ended 39 ms after its first token; four of them need 80 turns.
    assert writes[-1] - writes[0] >= 79 / 400 * 0.99


def test_a_server_that_is_held_up_knows_when_the_request_arrived() -> None:
    with serve("ttft_ms=0", "tokens=1") as held, socket.create_connection(("127.0.0.1", held.port)) as link:
        os.kill(held.pid, signal.SIGSTOP)
        body = b'{"model":"m","messages":[],"stream":true}'
        link.sendall(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        sent_s = time.monotonic()
        os.kill(held.pid, signal.SIGCONT)
        assert link.recv(100)
        (entry,) = held.log()
    assert entry.arrived_s < sent_s < entry.read_s


def test_without_catching_up_no_gap_is_shorter_than_told(server: Server) -> None:
    chat(server, schedule={"catch_up": False, "tokens": 50})
    writes = last_entry(server).tokens
    for earlier, later in itertools.pairwise(writes):
        assert later.due_s >= earlier.at_s + 0.001 - 1e-9


def received_answers(link: socket.socket, count: int) -> bytes:
    """Read so many whole answers."""
    received, ends = bytearray(), 0
    while ends < count:
        read = link.recv(1 << 20)
        assert read, f"the server hung up after {ends} of {count} answers"
        begin = max(0, len(received) - len(LAST_CHUNK) + 1)
        received += read
        ends += received.count(LAST_CHUNK, begin)
    return bytes(received)


def test_a_flood_is_bounded_by_the_reader_alone() -> None:
    with serve("interval_ms=0", "ttft_ms=0", "tokens=100000") as flooding:
        link = socket.create_connection(("127.0.0.1", flooding.port))
        body = b'{"model":"m","messages":[],"stream":true}'
        link.sendall(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        # Once something can be read and the reader waits, the server fills the socket and waits too.
        select.select([link], [], [], 30)
        received = received_answers(link, 1)
        link.close()
        assert received.count(b'"content":" ') == 100_000
        entry = last_entry(flooding)
    assert sum(write.tokens for write in entry.tokens) == 100_000
    assert max(write.tokens for write in entry.tokens) > 100


def test_two_requests_on_one_connection_and_one_that_waits_its_turn(server: Server) -> None:
    body = b'{"model":"m","messages":[],"stream":true}'
    request = b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
    with socket.create_connection(("127.0.0.1", server.port)) as link:
        link.sendall(request + request[:30])
        link.sendall(request[30:])
        received_answers(link, 2)
    first, second = server.log()[-2:]
    assert first.connection == second.connection
    assert second.writes[0].at_s >= first.writes[-1].at_s


def test_a_client_that_leaves_is_logged_as_such(server: Server) -> None:
    before = len(server.log())
    body = b'{"model":"m","messages":[],"stream":true,"schedule":{"tokens":9999,"interval_ms":1}}'
    with socket.create_connection(("127.0.0.1", server.port)) as link:
        link.sendall(b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        assert link.recv(100)
    while len(log := server.log(before)) == 0:  # each turn is a round trip to the server, which has to notice
        pass
    assert not log[0].is_whole
    assert len(chat(server)) == 15


@pytest.mark.parametrize(
    "options", [{"tokns": 3}, {"tokens": -1}, {"usage": "some"}, {"tokens_per_chunk": 0}, {"ttft_ms": "soon"}]
)
def test_a_wrong_option_is_told(server: Server, options: dict[str, object]) -> None:
    status, body = ask(server, model="m", messages=[], schedule=options)
    assert status == 400
    assert next(iter(options)) in json.loads(body)["error"]["message"]


def test_wrong_requests_are_told(server: Server) -> None:
    assert ask(server, "/v1/nothing")[0] == 404
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/v1/chat/completions", "[]")
    assert connection.getresponse().status == 400
    connection.close()


def test_the_models_and_the_health(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/v1/models")
    assert json.loads(connection.getresponse().read())["data"][0]["id"] == "schedule"
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_log_is_whole_after_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    log = tmp_path / "log.jsonl"
    command = [sys.executable, "-m", "benchmarks.schedule_server", "--log", str(log), "ttft_ms=0", "interval_ms=0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        chat(Server(url, process.pid), user="me", max_tokens=3)
        process.send_signal(number)
        assert process.wait(30) == 0
    (entry,) = decode(log.read_bytes().splitlines())
    assert (entry.user, entry.completion_tokens, entry.finish_reason) == ("me", 3, "length")


def test_a_command_line_that_cannot_be_is_refused() -> None:
    command = [sys.executable, "-m", "benchmarks.schedule_server", "tokns=3"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "no option 'tokns'" in ended.stderr


def test_a_prompt_that_the_replies_know_has_its_own_answer(tmp_path: Path) -> None:
    replies = tmp_path / "replies.json"
    replies.write_text(json.dumps({"two words": {"answer": "Known, and said.\n", "interval_ms": 3}}))
    with serve("ttft_ms=0", "interval_ms=1", "tokens=2", f"--replies={replies}") as known:
        assert text(chat(known)) == "Known, and said.\n"
        entry = known.log()[-1]
        assert [1e3 * (write.due_s - entry.arrived_s) for write in entry.tokens[:2]] == pytest.approx([0, 3], abs=1e-3)
        other = chat(known, messages=[{"role": "user", "content": "two other words"}])
        assert len(split(text(other))) == 2
        assert text(chat(known, schedule={"answer": "Nearer."})) == "Nearer."


@pytest.mark.parametrize("replies", ["[]", '{"a": 1}', '{"a": {"pace": 1}}', "{"])
def test_replies_that_cannot_be_are_refused_at_the_start(tmp_path: Path, replies: str) -> None:
    (tmp_path / "replies.json").write_text(replies)
    with pytest.raises(RuntimeError, match="did not start"), serve(f"--replies={tmp_path / 'replies.json'}"):
        pass
