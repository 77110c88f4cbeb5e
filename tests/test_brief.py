"""What an assertion says, as short as it can be told."""

from __future__ import annotations

import pytest

from pytest_llmbench.brief import MAX_LINES, what_happened


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        ("AssertionError: paid twice\nassert 'paid twice' is None\n +  where 'paid twice' = <x>.y", ["paid twice"]),
        ("AssertionError: two\nlines\nassert 1 == 2", ["two", "lines"]),
        ("assert 1 == 2\n +  where 1 = f()", ["assert 1 == 2", " +  where 1 = f()"]),
        ("AssertionError: assert 1 == 2", ["assert 1 == 2"]),
        ("Failed: nobody was paid", ["nobody was paid"]),
        ("AssertionError", ["AssertionError"]),
        ("the answer returns no file; wanted: 'a'", ["the answer returns no file; wanted: 'a'"]),
        ("", ["no reason given"]),
        ("\x1b[2J\x07gone \u202eright\u202c", [r"\x1b[2J\x07gone \u202eright\u202c"]),
    ],
)
def test_what_happened(evidence: str, told: list[str]) -> None:
    assert what_happened(evidence) == told


def test_much_is_cut() -> None:
    told = what_happened("\n".join(f"line {number}" for number in range(100)))
    assert len(told) == MAX_LINES
    assert told[-2:] == [f"line {MAX_LINES - 2}", "…"]
