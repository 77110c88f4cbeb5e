"""Fenced code blocks of Markdown, as models write them: more forgiving than CommonMark, in linear time."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_llmbench.answers.heredocs import HeredocLines, read_opening
from pytest_llmbench.answers.languages import canonical, language_of_path
from pytest_llmbench.answers.pylines import PythonStrings

_FENCE = re.compile(r"([ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(`{3,}|~{3,})([^\n]*)")
_FIRST_WORD = re.compile(r"[\s{.]*([^\s:,{}=]*)")
_LOOKAHEAD = 4
"""How many times the whole text may be read in vain in search of a later end of a block."""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; `first` and `last` are the lines of its fences, counted from 0."""

    info: str
    text: str
    """Every line ends with a newline; indentation of the opening fence is taken off."""
    first: int
    last: int
    """Line of the closing fence, or the last line that belongs to the block."""
    closed: bool


@dataclass(frozen=True, slots=True)
class _Fence:
    indent: int
    mark: str
    length: int
    info: str


def first_word(info: str) -> str:
    """Return the first word of an info string, free of Pandoc's braces and dots."""
    found = _FIRST_WORD.match(info)
    return found.group(1) if found else ""


def scan(lines: Sequence[str]) -> tuple[Block, ...]:
    """Return the fenced blocks of a text, in order.

    A fence inside a Python string or a here-document of the block does not end the block. A block that is never
    closed ends with the text, or where another file's block begins.
    """
    blocks: list[Block] = []
    skip = _HeredocSkip(lines)
    budget = _LOOKAHEAD * len(lines)
    at = 0
    while at < len(lines):
        fence = _opening(lines[at])
        if fence is None:
            at = skip.end_of(at)
            continue
        end, closed, spent = _end(lines, at + 1, fence, budget)
        budget -= spent
        body = [_dedented(line, fence.indent) for line in lines[at + 1 : end]]
        if not closed and end == len(lines) and body and not body[-1]:
            body.pop()  # the text ended with a newline
        text = "".join(line + "\n" for line in body)
        blocks.append(Block(fence.info, text, at, end if closed else end - 1, closed))
        at = end + 1 if closed else end
    return tuple(blocks)


def _opening(line: str) -> _Fence | None:
    if "```" not in line and "~~~" not in line:
        return None
    found = _FENCE.match(line)
    if found is None:
        return None
    lead, mark, info = found.groups()
    if mark[0] == "`" and "`" in info:
        return None
    return _Fence(len(lead), mark[0], len(mark), info.strip())


def _end(lines: Sequence[str], start: int, fence: _Fence, budget: int) -> tuple[int, bool, int]:
    """Return (line of the end, whether a closing fence is there, lines read in vain)."""
    guard = _guard(fence.info)
    first_bare: int | None = None
    for at in range(start, len(lines)):
        line = lines[at]
        other = _opening(line)
        if other is not None and other.mark == fence.mark and other.length >= fence.length:
            bare = not other.info and other.indent <= fence.indent + 3
            if bare and not guard.inside:
                return at, True, 0
            if bare and first_bare is None:
                first_bare = at
            if other.info and not guard.inside and guard.knows_code and other.indent <= fence.indent:
                return at, False, 0
        if first_bare is not None and at - first_bare > budget:
            return first_bare, True, budget
        guard.feed(line)
    if first_bare is not None:
        return first_bare, True, len(lines) - first_bare
    return len(lines), False, 0


@dataclass(slots=True)
class _Guard:
    """Knows where a line that looks like a fence is none."""

    strings: PythonStrings | None = None
    heredocs: HeredocLines | None = None
    markdown: bool = False
    knows_code: bool = False
    """Whether a fence with an info string cannot be part of the block's language."""
    depth: int = 0

    @property
    def inside(self) -> bool:
        return (
            self.depth > 0
            or (self.strings is not None and self.strings.inside)
            or (self.heredocs is not None and self.heredocs.inside)
        )

    def feed(self, line: str) -> None:
        if self.markdown:
            fence = _opening(line)
            if fence is not None:
                self.depth = self.depth + 1 if fence.info else max(0, self.depth - 1)
        if self.heredocs is not None and (self.heredocs.inside or _is_file_command(line)):
            self.heredocs.feed(line)
        elif self.strings is not None:
            self.strings.feed(line)


def _guard(info: str) -> _Guard:
    word = first_word(info)
    language = canonical(word)
    paths = [language_of_path(part.strip("\"'`{}()")) for part in info.replace("=", " ").replace(":", " ").split()]
    known = next((path for path in paths if path), language)
    make = _GUARDS.get(known, _GUARDS.get(language))
    return make() if make is not None else _Guard()


_GUARDS = {
    "python": lambda: _Guard(strings=PythonStrings(), knows_code=True),
    "shell": lambda: _Guard(heredocs=HeredocLines(), knows_code=True),
    "markdown": lambda: _Guard(markdown=True),
    "": lambda: _Guard(strings=PythonStrings(), heredocs=HeredocLines()),
}


def _is_file_command(line: str) -> bool:
    return "<<" in line and ("cat" in line or "tee" in line)


@dataclass(slots=True)
class _HeredocSkip:
    """Leaps over here-documents that stand outside all fences."""

    lines: Sequence[str]
    _where: dict[str, list[int]] = field(default_factory=dict)

    def end_of(self, at: int) -> int:
        """Return the line after line `at`, or the one after the here-document that it opens."""
        line = self.lines[at]
        opening = read_opening(line) if _is_file_command(line) and "`" not in line else None
        if opening is None or opening.path is None:
            return at + 1
        if not self._where:
            for number, text in enumerate(self.lines):
                self._where.setdefault(text.strip(), []).append(number)
        ends = self._where.get(opening.delimiter, [])
        after = bisect_right(ends, at)
        return ends[after] + 1 if after < len(ends) else at + 1


def _dedented(line: str, indent: int) -> str:
    blanks = len(line) - len(line.lstrip(" \t"))
    return line[min(indent, blanks) :]
