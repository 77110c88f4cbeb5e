"""YAML to a tree: what the words mean, where they stand, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.endpoints.parsing import parse_yaml
from pytest_llmbench.endpoints.tree import Items, Scalar, Table, Tree, plain
from pytest_llmbench.errors import UsageFault

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs", "Cc"])), inner, max_size=3),
)  # fmt: skip


def parse(text: str) -> Tree:
    return parse_yaml(text.encode(), "f")


def at(tree: Tree, *keys: str | int) -> Tree:
    for key in keys:
        if isinstance(key, str):
            assert isinstance(tree, Table)
            tree = tree.entries[key]
        else:
            assert isinstance(tree, Items)
            tree = tree.items[key]
    return tree


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("8000", 8000), ("-3", -3), ("0x1f", 31), ("0o17", 15), ("0", 0),
        ("012", "012"), ("1_000", "1_000"), ("12:30", "12:30"), ("2026-11-21", "2026-11-21"), ("1.2.3", "1.2.3"),
        ("0.90", 0.9), ("1e-5", 1e-5), ("1.", 1.0), (".5", 0.5), (".inf", ".inf"), (".", "."),
        ("true", True), ("no", False), ("On", True), ("OFF", False), ("y", "y"),
        ("null", None), ("~", None), ("", None), ("nul", "nul"),
        ("'8000'", "8000"), ("!!str 8000", "8000"), ("!!float 3", 3.0), ("0,1,2", "0,1,2"), ("Qwen/Q-8B", "Qwen/Q-8B"),
    ],
)  # fmt: skip
def test_a_plain_word_means(word: str, value: Any) -> None:
    tree = at(parse(f"key: {word}"), "key")
    assert isinstance(tree, Scalar)
    assert (tree.value, type(tree.value)) == (value, type(value))


@given(JSON)
def test_what_another_writer_wrote_is_read_back(value: Any) -> None:
    assert plain(parse(yaml.safe_dump(value, allow_unicode=True))) == value


def test_words_are_kept_as_they_are_written() -> None:
    tree = parse("[0.90, 0x1f, on, ~, 'a']")
    assert isinstance(tree, Items)
    assert [item.text for item in tree.items if isinstance(item, Scalar)] == ["0.90", "0x1f", "on", "~", "a"]


def test_everything_has_its_line_and_its_path() -> None:
    tree = parse("a:\n  b:\n    - 1\n    - c: 2\n\n  # x\n  d: >\n    long\n    text\n  e: 5")
    assert str(at(tree, "a").place) == "f:1: a"
    assert str(at(tree, "a", "b").place) == "f:2: a.b"
    assert str(at(tree, "a", "b", 0).place) == "f:3: a.b[0]"
    assert str(at(tree, "a", "b", 1, "c").place) == "f:4: a.b[1].c"
    assert str(at(tree, "a", "d").place) == "f:7: a.d"
    assert str(at(tree, "a", "e").place) == "f:10: a.e"


def test_keys_are_texts() -> None:
    assert plain(parse("{1: a, no: b, 0.50: c, ~: d}")) == {"1": "a", "no": "b", "0.50": "c", "~": "d"}


def test_an_alias_has_the_place_where_it_is_used() -> None:
    tree = parse("a: &x {b: 1}\nc: *x")
    assert plain(at(tree, "c")) == {"b": 1}
    assert str(at(tree, "c").place) == "f:2: c"
    assert str(at(tree, "c", "b").place) == "f:1: c.b"


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("c: {<<: *x, e: 3}", {"b": 1, "d": 2, "e": 3}),
        ("c: {b: 9, <<: *x}", {"b": 9, "d": 2}),
        ("c: {<<: [*y, *x]}", {"b": 7, "d": 2}),
        ("c: {<<: [*x, *y]}", {"b": 1, "d": 2}),
        ("c: {<<: *z}", {"b": 7, "d": 2}),
        ("c: {'<<': 1}", {"<<": 1}),
    ],
)
def test_merge_keys_are_filled_in_as_pyyaml_does(text: str, merged: dict[str, Any]) -> None:
    text = f"x: &x {{b: 1, d: 2}}\ny: &y {{b: 7}}\nz: &z {{<<: *x, b: 7}}\n{text}"
    assert plain(at(parse(text), "c")) == merged == yaml.safe_load(text)["c"]


def test_nothing_is_null() -> None:
    assert plain(parse("")) is None
    assert plain(parse("# nothing\n")) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"a: [1,\nb: 2", "f:2: not YAML: while parsing a flow sequence, expected ',' or ']'"),
        (b"a:\n\tb: 1", "f:2: not YAML: while scanning for the next token, found character"),
        (b"a: 1\nb: \x01", "f:2: not YAML: special characters are not allowed"),
        (b"a: 1\n\nb: \xff", "f:3: not UTF-8"),
        (b"a: *b", "f:1: not YAML: found undefined alias 'b'"),
        (b"a: 1\n---\nb: 1", "f:2: not YAML: expected a single document"),
        (b"a:\n  b: 1\n  c: 2\n  b: 3", "f:4: a.b: already at line 2; a key can stand only once"),
        (b"a: {<<: {b: 1}, <<: {c: 1}}", "f:1: a.<<: already at line 1; use one <<: [*a, *b]"),
        (b"a:\n  <<: 3", "f:2: a.<<: wanted a mapping or a list of mappings"),
        (b"a:\n- &x [*x]", "f:2: a[0][0]: an alias that holds itself"),
        (b"a: &x {<<: *x}", "f:1: a: an alias that holds itself"),
        (b"? [1]\n: 2", "f:1: ?: wanted a text as key"),
        (b"a:\n  b: !!binary aGk=", "f:2: a.b: the tag !!binary is not known here"),
        (b"a: !!python/name:os.system x", "f:1: a: the tag !!python/name:os.system is not known here"),
        (b"a: !!int x", "f:1: a: 'x' is no !!int"),
        (b"a: 1e999", "f:1: a: 1e999 is no finite number"),
        (b"a: !!float nan", "f:1: a: nan is no finite number"),
        (b"a: 18446744073709551616", "f:1: a: 18446744073709551616 does not fit into 64 bits"),
        (b"a: " + b"9" * 5000, "f:1: a: '999999"),
        (b'a: "x\\0y"', "f:1: a: holds a NUL character"),
        (b"[" * 600, "f: nested too deeply"),
        (b"[" * 52 + b"]" * 52, "f:1: " + "[0]" * 51 + ": wanted at most 100000 values, 50 deep; got more"),
        (
            b"a0: &a0 [1, 2]\n"
            + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (at, at, at - 1, at - 1) for at in range(1, 40)),
            "f:1: a14[",
        ),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_line(text: bytes, says: str) -> None:
    with pytest.raises(UsageFault) as caught:
        parse_yaml(text, "f")
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=80) | st.text("ab:-[]{}&*<>!|?'\" \n\t#", max_size=80).map(str.encode))
def test_any_bytes_are_a_tree_or_a_fault_of_one_line(data: bytes) -> None:
    try:
        plain(parse_yaml(data, "f"))
    except UsageFault as fault:
        assert str(fault).startswith("f:")  # noqa: PT017 - most texts raise nothing
        assert "\n" not in str(fault)  # noqa: PT017
