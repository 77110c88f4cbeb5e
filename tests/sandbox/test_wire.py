"""Values on the wire: what goes in comes out, and nothing else comes out."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.sandbox.wire import WireError, dumps, loads

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary()
    | st.decimals(allow_nan=False, allow_infinity=False, places=8)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(scalars, inner, max_size=4),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(map(repr, one)) == list(map(repr, other)) and all(
            same(a, b) for a, b in zip(one.values(), other.values(), strict=True)
        )
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@given(values)
def test_round_trip_keeps_values_and_exact_types(value: Any) -> None:
    line = dumps(value)
    assert b"\n" not in line
    assert same(loads(line), value)


class Level(IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Counter("aab"), {"a": 2, "b": 1}),
        (OrderedDict([(1, "x")]), {1: "x"}),
        (Level.HIGH, 3),
        (type("Text", (str,), {"__str__": lambda _: "lie"})("truth"), "truth"),
        (bytearray(b"x"), b"x"),
    ],
)
def test_subclasses_become_plain(value: Any, plain: Any) -> None:
    got = loads(dumps(value))
    assert same(got, plain)


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, 1j, float("nan"), float("inf"), 10**1000, lambda: 0, {(): object()}]
)
def test_what_has_no_form_is_refused(value: Any) -> None:
    with pytest.raises(WireError):
        dumps(value)


def test_a_list_in_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(WireError, match="nested"):
        dumps(endless)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e999",
        b"[1e400]",
        b"\xff",
        b'"\\ud800"',
        b"9" * 1001,
        b"[" * 60 + b"]" * 60,
        b"[" * 500_000,
        b'{"a": 1}',
        b'{"$dict": [], "$bytes": ""}',
        b'{"$dict": {}}',
        b'{"$dict": [[1]]}',
        b'{"$dict": [[[1], 2]]}',
        b'{"$dict": [[{"$tuple": [[1]]}, 2]]}',
        b'{"$bytes": "*"}',
        b'{"$bytes": 7}',
        b'{"$decimal": "NaN"}',
        b'{"$decimal": "Infinity"}',
        b'{"$decimal": "1e999999999"}',
        b'{"$decimal": "x"}',
        b'{"$decimal": 1}',
        b'{"$tuple": 1}',
        b'{"$other": 1}',
    ],
)
def test_hostile_lines_are_refused(line: bytes) -> None:
    with pytest.raises(WireError):
        loads(line)


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_any_json_gives_a_plain_value_or_is_refused(tree: Any) -> None:
    try:
        got = loads(json.dumps(tree).encode())
    except WireError:
        return
    assert type(got) in (dict, list, tuple, str, int, float, bool, type(None), bytes, Decimal)


@given(st.binary(max_size=40))
def test_any_bytes_give_a_plain_value_or_are_refused(line: bytes) -> None:
    try:
        loads(line)
    except WireError:
        return
