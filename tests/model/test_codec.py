from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmbench.model.check import Check, SandboxUse
from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.model.completion import Completion, Exchange, NetworkRead, Timing, Usage
from pytest_llmbench.model.endpoint import Endpoint, Sampling, ServerInfo
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.settings import ReportTarget, Settings

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
endpoints = st.builds(
    Endpoint, text, st.none() | text, st.none() | text, st.none() | text, samplings, st.none() | text, objects,
    st.builds(ServerInfo, st.none() | text, st.none() | text), objects, st.none() | text,
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


@settings(max_examples=50, deadline=None)
@given(st.one_of(endpoints, completions, runs, checks))
def test_every_record_comes_back_as_it_was(record: Any) -> None:
    data = encode(record)
    assert b"\n" not in data
    assert decode(data, type(record)) == record


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
def test_what_json_cannot_say_is_null(figure: float) -> None:
    assert json.loads(encode(Timing(ttft_s=figure)))["ttft_s"] is None


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
