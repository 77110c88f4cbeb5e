from __future__ import annotations

import difflib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.answers import apply_unified_diff
from pytest_llmbench.errors import AnswerFault

TEXT = "".join(f"line {number}\n" for number in range(1, 31))
LINES = st.lists(st.sampled_from(["", "a", "b", "  c", "-- d", "++ e", "@ f", "\\ g", "    ", "\tx"]), max_size=25)


def diff_of(old: str, new: str) -> str:
    lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), "a/x", "b/x")
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


@given(LINES, LINES, st.booleans(), st.booleans())
def test_what_difflib_writes_is_applied(old: list[str], new: list[str], old_ends: bool, new_ends: bool) -> None:  # noqa: FBT001
    before = "\n".join(old) + ("\n" if old and old_ends else "")
    after = "\n".join(new) + ("\n" if new and new_ends else "")
    if before.split("\n") == after.split("\n") or not after.strip() or not before.strip():
        return
    assert apply_unified_diff(before, diff_of(before, after)) == after


def test_several_hunks_with_shifted_numbers() -> None:
    rng = random.Random(7)  # noqa: S311 - repeatable on purpose
    changed = TEXT.replace("line 3\n", "line three\n").replace("line 20\n", "").replace("line 28\n", "line 28\nmore\n")
    diff = diff_of(TEXT, changed)
    for _ in range(20):
        shift = rng.randint(0, 50)
        moved = diff.replace("@@ -", f"@@ -{shift}")
        assert apply_unified_diff(TEXT, moved) == changed


def test_hunk_that_fits_twice_needs_its_line_number() -> None:
    text = "a\nsame\nb\nsame\nc\n"
    assert apply_unified_diff(text, "@@ -4 +4 @@\n-same\n+other\n") == "a\nsame\nb\nother\nc\n"
    with pytest.raises(AnswerFault, match="found more than once"):
        apply_unified_diff(text, "@@ -9 +9 @@\n-same\n+other\n")
    with pytest.raises(AnswerFault, match="found more than once"):
        apply_unified_diff(text, "@@\n-same\n+other\n")


def test_order_of_hunks_tells_twins_apart() -> None:
    text = "same\nmiddle\nsame\n"
    assert apply_unified_diff(text, "@@\n-middle\n+centre\n@@\n-same\n+other\n") == "same\ncentre\nother\n"


def test_blanks_at_line_ends_do_not_matter_and_are_kept() -> None:
    assert apply_unified_diff("a  \nb\nc\t\n", "@@\n a\n-b\n+B\n c\n") == "a  \nB\nc\t\n"


def test_removed_comment_of_two_dashes_is_no_header() -> None:
    assert apply_unified_diff("x\n-- old\ny\n", "@@ -1,3 +1,3 @@\n x\n--- old\n+++ new\n y\n") == "x\n++ new\ny\n"


def test_newline_at_the_end() -> None:
    none = "\\ No newline at end of file\n"
    assert apply_unified_diff("a\nb", f"@@\n-b\n{none}+c\n") == "a\nc\n"
    assert apply_unified_diff("a\nb\n", f"@@\n-b\n+c\n{none}") == "a\nc"
    assert apply_unified_diff("a\nb", f"@@\n-b\n{none}+c\n{none}") == "a\nc"
    assert apply_unified_diff("a\nb", "@@\n-a\n+c\n") == "c\nb"


@pytest.mark.parametrize(
    "diff", ["", "nothing", "--- a/x\n+++ b/x\n", "--- a\n+++ a\n@@\n-x\n+y\n--- b\n+++ b\n@@\n-x\n+y\n"]
)
def test_not_a_diff_of_one_file(diff: str) -> None:
    with pytest.raises(AnswerFault, match="diff of one file was wanted"):
        apply_unified_diff("x\n", diff)
