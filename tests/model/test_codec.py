from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmbench.model.check import Check, SandboxUse
from pytest_llmbench.model.codec import decode, encode, json_schema
from pytest_llmbench.model.completion import Completion, Exchange, NetworkRead, Timing, Usage
from pytest_llmbench.model.endpoint import Endpoint, Gpu, Sampling, ServerInfo
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import SCHEMA, CompletionRow, EndpointRow, Gate, Report, RunInfo, ScoreRow
from pytest_llmbench.model.serverfigures import ServerFigures
from pytest_llmbench.model.serving import Cause, Failure, Phase
from pytest_llmbench.model.settings import ReportTarget, Settings
from pytest_llmbench.model.speed import SpeedRow, Spread

text = st.text(max_size=20)
counts = st.none() | st.integers(0, 10**9)
times = st.none() | st.floats(0, 1e6)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(text, json_values, max_size=3)
samplings = st.builds(
    Sampling, st.floats(0, 2), st.floats(0, 1), st.integers(1, 10**6), st.none() | st.integers(0, 2**31)
)
failures = st.builds(
    Failure, st.sampled_from(Phase), st.sampled_from(Cause), st.none() | text, text, st.none() | text, times,
    st.none() | text,
)  # fmt: skip
servers = st.builds(
    ServerInfo, st.none() | text, st.none() | text, st.none() | text, st.none() | st.lists(text, max_size=3).map(tuple),
    st.none() | st.dictionaries(text, text, max_size=2), st.none() | text, st.none() | text, st.none() | text, counts,
    st.none() | text, st.none() | st.lists(st.builds(Gpu, text, counts, st.none() | text), max_size=2).map(tuple), times,
    counts, st.none() | st.dictionaries(text, st.floats(0, 1e6), max_size=2), st.none() | text, st.none() | failures,
)  # fmt: skip
endpoints = st.builds(
    Endpoint, text, st.none() | text, st.none() | text, st.none() | text, samplings, st.none() | text, objects, servers,
    objects, problem=st.none() | text,
)  # fmt: skip
exchanges = st.builds(
    Exchange, text, st.none() | text, st.none() | text, st.builds(Usage, counts, counts, counts, counts),
    st.builds(Timing, times, times, times, times, st.integers(0, 99)),
    st.lists(st.builds(NetworkRead, st.floats(0, 1e6), st.integers(0, 99)), max_size=3).map(tuple),
    st.none() | text, st.none() | objects, st.integers(1, 4),
)  # fmt: skip
completions = st.builds(
    Completion, text, text, st.integers(1, 9), objects, text, st.none() | exchanges, st.none() | text,
    st.none() | st.integers(1, 8),
)  # fmt: skip
checks = st.builds(
    Check, text, text, text, st.integers(1, 9), st.sampled_from(Outcome), st.none() | text, st.floats(0, 1e6), text,
    st.none() | st.builds(SandboxUse, text, st.lists(text, max_size=2).map(tuple)), st.none() | text,
)  # fmt: skip
runs = st.builds(
    Settings, st.lists(endpoints, max_size=2).map(tuple), text, text, text, st.integers(0, 2**32), st.integers(1, 9),
    st.integers(1, 9), st.floats(1, 1e6), text, st.lists(st.builds(ReportTarget, text, text), max_size=2).map(tuple),
)  # fmt: skip
samples = st.integers(1, 9)
shares = st.none() | st.floats(0, 1)
run_infos = st.builds(
    RunInfo, text, text, st.floats(0, 1e6), text, st.lists(text, max_size=2).map(tuple), st.integers(0, 2**32), objects,
    text,
)  # fmt: skip
endpoint_rows = st.builds(
    EndpointRow, text, st.none() | text, st.none() | text, st.none() | text, servers, samplings, objects,
    objects, st.none() | text, text,
)  # fmt: skip
completion_rows = st.builds(
    CompletionRow, text, text, samples, st.none() | text, counts, counts, counts, counts, times, times, times, times,
    st.none() | samples, st.none() | samples, st.none() | text, text,
    st.none() | st.builds(ServerFigures, times, times, times, times, times, times),
)  # fmt: skip
score_rows = st.builds(
    ScoreRow, text, st.none() | text, st.integers(0, 9), st.integers(0, 9), st.floats(0, 1), shares, shares, shares
)
figures = st.floats(0, 1e6)
spreads = st.none() | st.builds(Spread, samples, figures, figures, figures, figures, times, times, times)
speed_rows = st.builds(
    SpeedRow, text, text, st.none() | samples, st.integers(0, 10**6), counts, counts, st.none() | text,
    st.integers(0, 9), st.integers(0, 99), st.integers(0, 99), st.none() | text, spreads, spreads, spreads, spreads,
    unknown=st.dictionaries(text, text, max_size=2), marks=st.dictionaries(text, text, max_size=2),
)  # fmt: skip
gates = st.builds(
    Gate, st.none() | st.sampled_from(["met", "not_met", "inconclusive"]), st.lists(text, max_size=2).map(tuple)
)


def some(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(rows, max_size=2).map(tuple)


reports = st.builds(
    Report, st.just(SCHEMA), run_infos, some(endpoint_rows), some(completion_rows), some(checks), some(speed_rows),
    some(score_rows), gates,
)  # fmt: skip


@settings(max_examples=100)
@given(st.one_of(endpoints, completions, runs, checks, reports))
def test_every_record_comes_back_as_it_was(record: Any) -> None:
    data = encode(record)
    assert b"\n" not in data
    assert decode(data, type(record)) == record


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_what_json_cannot_say_is_null(figure: float) -> None:
    assert json.loads(encode(Timing(ttft_s=figure)))["ttft_s"] is None


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("half \ud83d", "half \ufffd"),
        ("\udc00", "\ufffd"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\u00e9\ud800", "\u00e9\ufffd"),
    ],
)
def test_half_a_character_does_not_cost_the_record(said: str, kept: str) -> None:
    record = Completion("e", "s", 1, {said: [said, 1.5, None]}, "", Exchange(said, server_timings={"x": math.nan}))
    assert json.loads(encode(record))["request"] == {kept: [kept, 1.5, None]}
    assert decode(encode(record), Completion).exchange == Exchange(kept, server_timings={"x": None})


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert decode(b'{"prompt_tokens": 3, "later": [1]}', Usage) == Usage(prompt_tokens=3)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "truncated"),
        (b'{"prompt_tokens": 3', "truncated"),
        (b"<html>", "malformed"),
        (b'{"prompt_tokens": "3"}', r"Expected `int \| null`, got `str` - at `\$.prompt_tokens`"),
    ],
)
def test_what_is_no_record_is_refused_with_the_place(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        decode(data, Usage)


def test_the_text_below_a_field_is_its_description() -> None:
    fields = json_schema(Check)["$defs"]["Check"]["properties"]
    assert fields["sample"]["description"] == "Counts from 1."
    assert fields["sandbox"]["description"] == "null if nothing was run."
    assert json_schema(Check)["$defs"]["SandboxUse"]["properties"]["kind"]["description"]


def test_threads_may_read_a_kind_of_record_for_the_first_time_at_once() -> None:
    """In a process of its own: what goes wrong is a segmentation fault."""
    program = """
import sys, threading
from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.model.completion import Completion, Exchange

sys.setswitchinterval(1e-6)
record = Completion("new", "zmq", 1, {}, "2026-01-01T00:00:00Z", Exchange("x"))
data = encode(record)
at_once = threading.Barrier(8)

def read() -> None:
    at_once.wait()
    for _ in range(50):
        assert decode(encode(decode(data, Completion)), Completion) == record

threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("read")
"""
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (0, "read\n", "")
