"""Defaults, variants and matrices: what lies over what."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.endpoints.layers import expand, merge
from pytest_llmbench.endpoints.parsing import parse_yaml
from pytest_llmbench.endpoints.tree import Table, plain
from pytest_llmbench.errors import UsageFault

KEYS = st.sampled_from(["a", "b", "c"])
TABLES = st.dictionaries(
    KEYS, st.recursive(st.integers(0, 9) | st.lists(st.integers(0, 9)), lambda inner: st.dictionaries(KEYS, inner))
)


def table(text: str) -> Table:
    tree = parse_yaml(text.encode(), "f")
    assert isinstance(tree, Table)
    return tree


def laid(below: str, above: str) -> Any:
    return plain(merge(table(below), table(above)))


def made(entry: str, defaults: str = "{}") -> dict[str, Any]:
    return {name: plain(merged) for name, merged in expand("e", table(entry), table(defaults))}


@pytest.mark.parametrize(
    ("below", "above", "result"),
    [
        ("{a: 1, b: 2}", "{b: 3, c: 4}", {"a": 1, "b": 3, "c": 4}),
        ("{s: {a: 1, t: {b: 2}}}", "{s: {t: {c: 3}}}", {"s": {"a": 1, "t": {"b": 2, "c": 3}}}),
        ("{s: [1, 2]}", "{s: [3]}", {"s": [3]}),
        ("{s: {a: 1}}", "{s: 3}", {"s": 3}),
        ("{s: 3}", "{s: {a: 1}}", {"s": {"a": 1}}),
        ("{s: {a: 1}}", "{s: ~}", {"s": None}),
        ("{args: [a]}", "{args: [b]}", {"args": ["b"]}),
        ("{args: [a]}", "{args+: [b]}", {"args": ["a", "b"]}),
        ("{args: -a 'b c'}", "{args+: d e}", {"args": ["-a", "b c", "d", "e"]}),
        ("{args: a}", "{args+: c, args: b}", {"args": ["b", "c"]}),
        ("{}", "{args+: [a, 0.90]}", {"args": ["a", 0.9]}),
        ("{args: ''}", "{args+: ''}", {"args": []}),
    ],
)
def test_the_upper_wins_at_every_depth(below: str, above: str, result: dict[str, Any]) -> None:
    assert laid(f"{{serve: {below}}}", f"{{serve: {above}}}") == {"serve": result}


@given(TABLES, TABLES)
def test_the_upper_is_whole_in_what_was_merged(one: Any, two: Any) -> None:
    below, above = table(repr(one)), table(repr(two))
    merged = merge(below, above)
    assert plain(merge(merged, above)) == plain(merged)
    assert set(plain(merged)) == set(one) | set(two)
    assert plain(merge(below, table("{}"))) == plain(merge(table("{}"), below)) == one


def test_what_was_merged_keeps_its_places() -> None:
    merged = merge(table("s:\n  a: 1\n  b: 2"), table("\n\n\ns:\n  b: 3"))
    inner = merged.entries["s"]
    assert isinstance(inner, Table)
    assert [str(inner.entries[key].place) for key in ("a", "b")] == ["f:2: s.a", "f:5: s.b"]


def test_an_entry_alone_is_one_endpoint() -> None:
    assert made("{url: u}") == {"e": {"url": "u"}}
    assert made("{url: u, variants: {}, matrix: {}}") == {"e": {"url": "u"}}


def test_each_variant_is_an_endpoint() -> None:
    assert made("{url: u, m: 1, variants: {a: ~, b: {m: 2}}}") == {
        "e-a": {"url": "u", "m": 1},
        "e-b": {"url": "u", "m": 2},
    }


def test_each_combination_is_an_endpoint_in_the_order_of_the_file() -> None:
    found = made("{url: u, matrix: {k: {x: {k: 1}, y: {k: 2}}, l: {p: {l: 1}, q: {l: 2, k: 9}}}}")
    assert list(found) == ["e-x-p", "e-x-q", "e-y-p", "e-y-q"]
    assert found["e-y-p"] == {"url": "u", "k": 2, "l": 1}
    assert found["e-x-q"] == {"url": "u", "k": 9, "l": 2}


def test_variants_come_before_the_axes() -> None:
    found = made("{m: 0, variants: {v: {m: 1, n: 1}}, matrix: {k: {x: {m: 2}}}}")
    assert found == {"e-v-x": {"m": 2, "n": 1}}


def test_words_are_put_behind_those_of_the_defaults() -> None:
    found = made("{serve: {args+: [b]}, variants: {v: {serve: {args+: [c]}}}}", "{serve: {args: [a]}}")
    assert found == {"e-v": {"serve": {"args": ["a", "b", "c"]}}}


@pytest.mark.parametrize(
    ("defaults", "entry", "args"),
    [
        ("{args+: [a]}", "{kind: k}", ["a"]),
        ("{args+: [a]}", "{args+: [b]}", ["a", "b"]),
        ("{args+: [a]}", "{args: [b]}", ["b"]),
        ("{args: [a], args+: [b]}", "{args+: [c]}", ["a", "b", "c"]),
    ],
)
def test_further_words_of_the_defaults_count(defaults: str, entry: str, args: list[str]) -> None:
    found = made(f"{{serve: {entry}}}", f"{{serve: {defaults}}}")["e"]["serve"]
    assert found["args"] == args
    assert "args+" not in found


@pytest.mark.parametrize(
    ("entry", "result"),
    [
        ("{serve: {kind: b}}", {"serve": {"kind": "b", "port": 1}, "model": "m"}),
        ("{url: v}", {"url": "v", "kind": "a", "model": "m"}),
        ("{model: n, serve: ~}", {"url": "u", "kind": "a", "model": "n", "serve": None}),
    ],
)
def test_of_the_defaults_only_what_is_meant_is_taken(entry: str, result: dict[str, Any]) -> None:
    assert made(entry, "{url: u, kind: a, serve: {kind: a, port: 1}, model: m}") == {"e": result}


def test_too_many_endpoints_are_refused_before_they_are_made() -> None:
    axis = "{" + ", ".join(f"v{at}: {{}}" for at in range(20)) + "}"
    matrix = ", ".join(f"a{at}: {axis}" for at in range(20))
    with pytest.raises(UsageFault, match=r"^f:1: wanted at most 1000 endpoints of one entry, got 1048576000"):
        made(f"{{url: u, matrix: {{{matrix}}}}}")


def test_an_axis_without_values_is_refused() -> None:
    with pytest.raises(UsageFault, match=r"^f:2: matrix\.kv: wanted at least one name"):
        made("matrix:\n  kv: {}")
