"""Reasoning that arrives inside the content, between tags at its start."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, islice

from pytest_llmbench.answers.fences import scan
from pytest_llmbench.model.reasoning import REASONING_TAGS

_HARMONY = re.compile(
    r"\s*(?:<\|start\|>assistant)?<\|channel\|>(?:analysis|commentary)[^<\n]{0,80}<\|message\|>", re.IGNORECASE
)
_HARMONY_FINAL = re.compile(r"\s*(?:<\|start\|>assistant)?<\|channel\|>final[^<\n]{0,80}<\|message\|>", re.IGNORECASE)
_HARMONY_END = "<|end|>"
_HARMONY_RETURN = "<|return|>"
_OPENINGS = (
    *((re.compile(r"\s*" + re.escape(opening), re.IGNORECASE), closing) for opening, closing in REASONING_TAGS),
    (_HARMONY, _HARMONY_END),
)
_ANY_CLOSING = re.compile("|".join(re.escape(closing) for _, closing in REASONING_TAGS), re.IGNORECASE)
_LONGEST_LINE = 2_000
_TAGS_IN_CODE = 50
"""So many closing tags in code are passed over in search of one outside."""
_OPENING_OF = {closing.lower(): re.compile(re.escape(opening), re.IGNORECASE) for opening, closing in REASONING_TAGS}


@dataclass(frozen=True, slots=True)
class SplitAnswer:
    """Content, split into reasoning and answer."""

    reasoning: str | None
    """None if there is none."""
    answer: str
    closed: bool = True
    """False if the reasoning never ended; then there is no answer."""


def split_reasoning(content: str) -> SplitAnswer:
    """Split off the reasoning at the start of the content.

    Several blocks may follow each other. A closing tag alone ends reasoning whose opening tag was part of the prompt.
    Tags in code, fenced or between backticks, and tags further down in the answer are text.
    """
    thoughts: list[str] = []
    code = _Code(content)
    at = 0
    while (opened := _opening(content, at)) is not None:
        begin, closing = opened
        end = _closing(content, begin, closing, code)
        if end is None:
            thoughts.append(content[begin:])
            return SplitAnswer(_joined(thoughts), "", closed=False)
        thoughts.append(content[begin : end[0]])
        at = end[1]
    if not thoughts:
        orphan = _orphan(content, code)
        if orphan is None:
            return SplitAnswer(None, _without_harmony(content))
        thoughts.append(content[: orphan[0]])
        at = orphan[1]
    return SplitAnswer(_joined(thoughts), _without_harmony(content[at:].lstrip()))


def _opening(content: str, at: int) -> tuple[int, str] | None:
    """Return (where the reasoning begins, its closing tag) if an opening tag stands at `at`."""
    for opening, closing in _OPENINGS:
        if found := opening.match(content, at):
            return found.end(), closing
    return None


def _closing(content: str, begin: int, closing: str, code: _Code) -> tuple[int, int] | None:
    """Return the span of the first closing tag outside code, or of the first one at all."""
    mark = re.compile(re.escape(closing), re.IGNORECASE)
    first = mark.search(content, begin)
    if first is None:
        return None
    spans = (found.span() for found in islice(mark.finditer(content, begin), _TAGS_IN_CODE))
    return next((span for span in spans if not code.holds(span[0])), first.span())


def _orphan(content: str, code: _Code) -> tuple[int, int] | None:
    """Return the span of a closing tag outside code whose opening tag is nowhere before it."""
    for found in islice(_ANY_CLOSING.finditer(content), _TAGS_IN_CODE):
        if code.holds(found.start()):
            continue
        opening = _OPENING_OF[found.group().lower()]
        return None if opening.search(content, 0, found.start()) else found.span()
    return None


class _Code:
    """Knows which offsets of a text lie in fenced blocks or between backticks; reads the text when first asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._begins: list[int] | None = None
        self._ends: list[int] = []

    def holds(self, offset: int) -> bool:
        """Say whether the character at `offset` is code."""
        if self._begins is None:
            self._begins = self._fenced()
        block = bisect_right(self._begins, offset) - 1
        if block >= 0 and offset < self._ends[block]:
            return True
        begin = self._text.rfind("\n", max(0, offset - _LONGEST_LINE), offset) + 1 or max(0, offset - _LONGEST_LINE)
        return self._text.count("`", begin, offset) % 2 == 1

    def _fenced(self) -> list[int]:
        lines = self._text.split("\n")
        offsets = [0, *accumulate(len(line) + 1 for line in lines)]
        blocks = scan(lines)
        self._ends = [offsets[block.last + 1] for block in blocks]
        return [offsets[block.first] for block in blocks]


def _without_harmony(answer: str) -> str:
    final = _HARMONY_FINAL.match(answer)
    if final is None:
        return answer
    return answer[final.end() :].removesuffix(_HARMONY_RETURN).removesuffix(_HARMONY_END)


def _joined(thoughts: list[str]) -> str | None:
    return "\n\n".join(filter(None, (thought.strip() for thought in thoughts))) or None
