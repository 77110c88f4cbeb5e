"""Search and replace blocks, as editing agents write them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pytest_llmbench.answers.diffs import PatchError, find_once
from pytest_llmbench.answers.labels import only_path

_SEARCH = re.compile(r"[ \t]*<{5,9}(?: ?(?:SEARCH|ORIGINAL|OLD|HEAD|BEFORE)\b.{0,200})?\s*$", re.IGNORECASE)
_LONGEST = 300
_MIDDLE = re.compile(r"[ \t]*={5,9}\s*$")
_REPLACE = re.compile(r"[ \t]*>{5,9}(?: ?(?:REPLACE|UPDATED|NEW|AFTER|MODIFIED)\b.{0,200})?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Edit:
    """One search and replace block."""

    label: str | None
    old: tuple[str, ...]
    new: tuple[str, ...]
    first: int
    last: int


def read_edits(lines: Sequence[str], known: Collection[str]) -> Iterator[Edit]:
    """Yield the blocks; one without a path above it belongs to the file of the block before."""
    label: str | None = None
    previous, at = -1, 0
    ends = {mark: _matches(lines, mark) for mark in (_MIDDLE, _REPLACE)}
    while at < len(lines):
        if "<<<<<" not in lines[at] or not _SEARCH.match(lines[at][:_LONGEST]):
            at += 1
            continue
        middle = _next(ends[_MIDDLE], at)
        end = _next(ends[_REPLACE], middle) if middle is not None else None
        if middle is None or end is None:
            return
        label = _label_above(lines, previous, at, known) or label
        yield Edit(label, tuple(lines[at + 1 : middle]), tuple(lines[middle + 1 : end]), at, end)
        previous, at = end, end + 1


def has_edits(lines: Sequence[str]) -> bool:
    """Say whether a text holds search and replace blocks."""
    return any("<<<<<" in line for line in lines) and any(True for _ in read_edits(lines, ()))


def apply_edit(text: str, edit: Edit) -> str:
    """Replace what the block looks for.

    Raises:
        PatchError: it is not there, or more than once.
    """
    if not any(line.strip() for line in edit.old):
        if text.strip():
            raise PatchError("a block with an empty search part, while the file is not empty")
        return "".join(line + "\n" for line in edit.new)
    lines = text.split("\n")
    at = find_once(lines, edit.old)
    return "\n".join([*lines[:at], *edit.new, *lines[at + len(edit.old) :]])


def _matches(lines: Sequence[str], mark: re.Pattern[str]) -> list[int]:
    return [at for at in range(len(lines) - 1, -1, -1) if len(lines[at]) < _LONGEST and mark.match(lines[at])]


def _next(falling: list[int], after: int) -> int | None:
    while falling and falling[-1] <= after:
        falling.pop()
    return falling[-1] if falling else None


def _label_above(lines: Sequence[str], previous: int, at: int, known: Collection[str]) -> str | None:
    for above in range(at - 1, max(previous, at - 4), -1):
        line = lines[above].strip()
        if line and not line.startswith(("```", "~~~")):
            return only_path(line, known) if len(line) < _LONGEST else None
        if line and (path := only_path(line.lstrip("`~").replace(":", " "), known)):
            return path
    return None
