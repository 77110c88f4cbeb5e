from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.reports.tables import MIN_NAME, column, lay_out

SUITES = ("hiveos", "payment", "pplns", "stratum", "zmq")
WIDEST = "5/7 of 8"
FIGURES = [column(head, ["100.0", "-"]) for head in ("95 % CI", "coverage", "tok/s")]

names = st.lists(st.text("abc-", min_size=1, max_size=60), min_size=1, max_size=6, unique=True)
sizes = st.lists(st.integers(1, 30), min_size=1, max_size=8)


def test_a_long_name_keeps_both_ends() -> None:
    lines = lay_out(["endpoint", f"qwen{'x' * 80}awq", f"qwen{'x' * 80}fp8"], [FIGURES[:1] * 3], 60)
    assert [line.split()[0] for line in lines[1:]] == [
        "qwenxxxxxxxxxxxx…xxxxxxxxxxxxxawq",
        "qwenxxxxxxxxxxxx…xxxxxxxxxxxxxfp8",
    ]


def test_long_names_that_differ_in_their_middle_keep_it() -> None:
    names = [f"Qwen3.5-235B-A22B-Instruct-2507-dynamic-tp{tp}-kv-fp8-reasoning-parser" for tp in (2, 12)]
    lines = lay_out(["endpoint", *names], [FIGURES], 60)
    assert [line.split()[0] for line in lines[1:]] == [
        "Qwen3.5-235B-A…tp2…asoning-parser",
        "Qwen3.5-235B-A…tp12…asoning-parser",
    ]
    assert max(map(len, lines)) <= 60


def test_names_that_would_become_the_same_stay_whole() -> None:
    alike = [f"{'x' * 40}{number}{'x' * 40}" for number in range(2)]
    lines = lay_out(["endpoint", *alike], [FIGURES], 60)
    assert [line.split()[0] for line in lines[1:3]] == alike


def test_groups_are_not_torn_where_each_fits() -> None:
    quality = [column(suite, [WIDEST, "-"]) for suite in SUITES]
    heads = [line.split() for line in lay_out(["endpoint", "n", "o"], [quality, FIGURES], 80)[::4]]
    assert heads == [["endpoint", *SUITES], ["endpoint", "95", "%", "CI", "coverage", "tok/s"]]


@given(names, sizes, sizes, st.integers(60, 200))
def test_no_column_is_lost_and_no_line_too_wide(rows: list[str], left: list[int], right: list[int], width: int) -> None:
    groups = [
        [column("#" * size, ["1"] * len(rows)) for size in left],
        [column("#" * size, ["2"] * len(rows)) for size in right],
    ]
    lines = lay_out(["endpoint", *rows], groups, width)
    assert "".join(lines).count("1") == len(rows) * len(left)
    assert "".join(lines).count("2") == len(rows) * len(right)
    shown = [line.split()[0] for line in lines if line][1 : len(rows) + 1]
    assert len(set(shown)) == len(rows)
    if not set(shown) & {row for row in rows if len(row) > MIN_NAME}:
        assert max(map(len, lines)) <= width
