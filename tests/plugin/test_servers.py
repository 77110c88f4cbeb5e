"""Whole runs against a server that does what it is told: right things, wrong things, in one process and in several."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.client.scripted_server import (
    HANGUP,
    RESET,
    SILENCE,
    End,
    Reply,
    ScriptedServer,
    answered,
    chunk,
    cut,
    event,
    page,
    refusal,
    refusing_url,
    streamed,
)
from tests.nested import WITHOUT_OURS
from tests.plugin.conftest import RIGHT, WRONG, Demo

PATIENCE_S = 120.0


@pytest.mark.parametrize("workers", ["-n0", "-n3"])
def test_one_request_for_each_suite_and_sample(demo: Demo, workers: str) -> None:
    with ScriptedServer(streamed(RIGHT)) as server:
        result = demo.run(f"--llm-endpoint={server.url}", "--llm-samples=3", workers)
    result.assert_outcomes(passed=6)
    assert len(server.requests) == 3
    assert len(server.lookups) == 2  # which model, and what kind of server; not once for each worker
    assert {row["nodeid"].rpartition("[")[2] for row in demo.report()["checks"]} == {
        "scripted]",
        "scripted-s2]",
        "scripted-s3]",
    }


def test_what_was_sent_and_what_came_is_recorded(demo: Demo) -> None:
    with ScriptedServer(streamed(RIGHT, reasoning="Floats are no money. ", pause_s=0.01)) as server:
        demo.run(f"--llm-endpoint=new={server.url}", "--junitxml=out.xml", "--llm-max-tokens=77").assert_outcomes(
            passed=2
        )
    (request,) = server.requests
    (row,) = demo.report()["completions"]
    kept = json.loads((demo.out / row["transcript"]).read_text())
    assert kept["request"] == request.body
    assert request.body["messages"] == [{"role": "user", "content": demo.prompt}]
    assert {name: request.body[name] for name in ("temperature", "top_p", "max_tokens")} == {
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 77,
    }
    assert kept["exchange"]["content"] == RIGHT
    assert kept["exchange"]["reasoning"] == "Floats are no money. "
    assert row["finish_reason"] == "stop"
    assert row["reasoning_tokens"] == 4
    assert row["completion_tokens"] > 10
    assert 0 < row["ttft_s"] < row["ttft_answer_s"] < row["e2e_s"]
    assert sum(size for _, size in kept["exchange"]["reads"]) == sum(len(write.piece) for write in server.writes)
    properties = (demo.pytester.path / "out.xml").read_text()
    for name in ("endpoint", "suite", "check", "outcome", "tok_s", "ttft_s", "completion_tokens", "prompt_tokens"):
        assert f'<property name="{name}" value="' in properties


BROKEN = {
    "500": (refusal(500, {"error": {"message": "CUDA error"}}), "*500*CUDA error*"),
    "500 HTML": (refusal(500, b"<html><h1>Internal"), "*500*"),
    "200 HTML": (page(), "*text/html*"),
    "hangs up": (HANGUP, "*connection broke*"),
    "resets": (RESET, "*connection broke*"),
    "dies mid-stream": (cut(streamed(RIGHT), 5), "*chat/completions: *"),
    "resets mid-stream": (cut(streamed(RIGHT), 5, End.RESET), "*chat/completions: *"),
    "stalls mid-stream": (cut(streamed(RIGHT), 5, End.HOLD), "*within 2 s*--llm-timeout*"),
    "never answers": (SILENCE, "*within 2 s*--llm-timeout*"),
    "error": (
        Reply((event(chunk({"content": "a"})), event({"error": {"message": "engine died"}}))),
        "*engine died*",
    ),
}
ELSEWHERE = ("500", "dies mid-stream", "never answers")
"""Asked by another process than the one that reports: that way is the same for all of them."""


@pytest.mark.parametrize(
    ("name", "workers"), [*((name, "-n0") for name in BROKEN), *((name, "-n2") for name in ELSEWHERE)]
)
def test_a_broken_endpoint_is_an_error_in_one_line_and_never_a_failed_check(
    demo: Demo, name: str, workers: str
) -> None:
    script, says = BROKEN[name]
    timeout_s = 2 if "--llm-timeout" in says else 60
    with ScriptedServer(script) as server:
        result = demo.run(f"--llm-endpoint=new={server.url}", f"--llm-timeout={timeout_s}", workers)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([f"*infra_error: {server.url}*{says}"])
    assert set(demo.outcomes().values()) == {"infra_error"}
    (row,) = demo.report()["completions"]
    assert "\n" not in row["error"]
    (score,) = [score for score in demo.report()["scores"] if score["suite"] is None]
    assert (score["passed"], score["scored"], score["coverage"], score["rate"]) == (0, 0, 0.0, None)


def test_an_endpoint_that_refuses_leaves_the_others_alone(demo: Demo) -> None:
    with refusing_url() as dead, ScriptedServer(streamed(RIGHT)) as server:
        result = demo.run(f"--llm-endpoint=dead={dead}", f"--llm-endpoint=alive={server.url}")
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines([f"*infra_error: {dead}*cannot connect*"])


def test_a_server_that_is_busy_is_asked_again(demo: Demo) -> None:
    with ScriptedServer(
        [refusal(503, b"", retry_after="0"), refusal(429, b"", retry_after="0"), streamed(RIGHT)]
    ) as server:
        demo.run(f"--llm-endpoint=new={server.url}").assert_outcomes(passed=2)
    assert len(server.requests) == 3


def test_several_models_are_listed_with_the_way_to_choose(demo: Demo) -> None:
    with ScriptedServer(streamed(RIGHT), models=("big", "small")) as server:
        result = demo.run(f"--llm-endpoint={server.url}")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines(["ERROR: *serves 2 models; choose one with *#MODEL*: big, small"])
        demo.run(f"--llm-endpoint={server.url}#small").assert_outcomes(passed=2)
    assert server.requests[0].body["model"] == "small"


@pytest.mark.parametrize(("finish_reason", "outcome"), [("length", "truncated"), ("stop", "wrong")])
def test_a_cut_answer_is_truncated_and_not_wrong(demo: Demo, finish_reason: str, outcome: str) -> None:
    with ScriptedServer(streamed(WRONG, finish_reason=finish_reason)) as server:
        demo.run(f"--llm-endpoint=new={server.url}").assert_outcomes(passed=1, failed=1)
    assert demo.outcomes() == {"pays[new]": "passed", "exact[new]": outcome}


@pytest.mark.parametrize(("finish_reason", "outcome"), [("length", "truncated"), ("stop", "empty")])
def test_reasoning_alone_is_no_answer(demo: Demo, finish_reason: str, outcome: str) -> None:
    with ScriptedServer(streamed("", reasoning="Hm, money.", finish_reason=finish_reason)) as server:
        demo.run(f"--llm-endpoint=new={server.url}").assert_outcomes(failed=2)
    assert set(demo.outcomes().values()) == {outcome}


def test_a_server_that_does_not_stream_will_do(demo: Demo) -> None:
    with ScriptedServer(answered(RIGHT)) as server:
        demo.run(f"--llm-endpoint=new={server.url}").assert_outcomes(passed=2)


def test_the_key_is_sent_and_written_nowhere(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWEN_KEY", "sk-very-secret")
    with ScriptedServer([refusal(401, {"error": "bad key sk-very-secret"}), streamed(RIGHT)]) as server:
        (demo.pytester.path / "models.yaml").write_text(
            f"endpoints:\n  qwen:\n    url: {server.url}\n    api_key_env: QWEN_KEY\n"
        )
        texts = [
            demo.run("--llm-endpoint=qwen", "--junitxml=out.xml", "-vv", "--showlocals").stdout.str() for _ in range(2)
        ]
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer sk-very-secret"] * 2
    assert [headers["authorization"] for headers in server.lookups] == ["Bearer sk-very-secret"] * 4
    for path in demo.pytester.path.rglob("*"):
        assert not path.is_file() or b"sk-very-secret" not in path.read_bytes(), path
    assert not [text for text in texts if "sk-very-secret" in text]


def test_a_run_can_be_judged_again_from_its_folder(demo: Demo) -> None:
    with ScriptedServer(streamed(WRONG, finish_reason="length")) as server:
        demo.run(f"--llm-endpoint=new={server.url}")
    first = demo.report()
    demo.out.rename(demo.pytester.path / "first")
    demo.run("--llm-endpoint=replay:first").assert_outcomes(passed=1, failed=1)
    again = demo.report()
    assert demo.outcomes() == {"pays[new]": "passed", "exact[new]": "truncated"}
    assert again["completions"][0]["completion_tokens"] == first["completions"][0]["completion_tokens"]


def test_no_more_requests_in_flight_than_asked_for(demo: Demo) -> None:
    with ScriptedServer(streamed(RIGHT, pause_s=0.01)) as server:
        demo.run(f"--llm-endpoint=new={server.url}", "--llm-samples=6", "--llm-concurrency=2", "-n3")
    spans = sorted(
        (request.arrived_at_s, max(write.at_s for write in server.writes if write.request == number))
        for number, request in enumerate(server.requests)
    )
    assert len(spans) == 6
    in_flight = [sum(began <= moment < ended for began, ended in spans) for moment, _ in spans]
    assert max(in_flight) == 2
    assert {row["concurrency"] for row in demo.report()["completions"]} <= {1, 2}


def one_after_the_other(server: ScriptedServer) -> list[str]:
    asked = (f"--llm-endpoint=new={server.url}", "--llm-samples=2", "--llm-concurrency=1")
    return [*WITHOUT_OURS, "--llm-out=out", *asked]


def test_killed_runs_keep_what_was_whole(demo: Demo) -> None:
    slow = Reply((b": wait\n\n",), end=End.HOLD)
    with ScriptedServer([streamed(RIGHT), slow]) as server:
        run = subprocess.Popen(
            [sys.executable, "-m", "pytest", "suites", *one_after_the_other(server)],
            cwd=demo.pytester.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        server.wait_for_requests(2)
        journal = demo.out / "journal.jsonl"
        _wait_for_lines(journal, 3, run)
        os.kill(run.pid, signal.SIGKILL)
        run.communicate()
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(line["kind"], line["record"].get("outcome")) for line in lines] == [
        ("completion", None),
        ("check", "passed"),
        ("check", "passed"),
    ]
    demo.out.rename(demo.pytester.path / "killed")
    # As many answers as the run was to have; one is not there.
    demo.run("--llm-endpoint=replay:killed").assert_outcomes(passed=2, errors=2)


def _wait_for_lines(path: Path, count: int, run: subprocess.Popen[bytes]) -> None:
    """Wait for lines of a file that another process writes; the kernel has no event for "one more line"."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not path.exists() or len(path.read_bytes().splitlines()) < count:
        assert time.monotonic() < deadline_s, "the run did not come so far"
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(0.02)


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_the_first_failure_ends_the_run_though_answers_are_still_to_come(demo: Demo, workers: str) -> None:
    slow = Reply((b": wait\n\n",), end=End.HOLD)
    with ScriptedServer([streamed(WRONG), slow]) as server:
        run = subprocess.Popen(
            [sys.executable, "-m", "pytest", "suites", *one_after_the_other(server), "-x", workers],
            cwd=demo.pytester.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        text, _ = run.communicate(timeout=PATIENCE_S)
    assert run.returncode in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED), text.decode()
    assert {row["check"]: row["outcome"] for row in demo.report()["checks"]}["exact"] == "wrong"


def test_ctrl_c_ends_at_once_and_still_reports(demo: Demo) -> None:
    slow = Reply((b": wait\n\n",), end=End.HOLD)
    with ScriptedServer([streamed(RIGHT), slow]) as server:
        run = subprocess.Popen(
            # A shell that starts us in the background has SIGINT ignored, and children inherit that.
            ["env", "--default-signal=INT", sys.executable, "-m", "pytest", "suites", *one_after_the_other(server)],
            cwd=demo.pytester.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        server.wait_for_requests(2)
        _wait_for_lines(demo.out / "journal.jsonl", 3, run)
        os.kill(run.pid, signal.SIGINT)
        text, _ = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == pytest.ExitCode.INTERRUPTED, text.decode()
    assert [row["outcome"] for row in demo.report()["checks"]] == ["passed", "passed"]
