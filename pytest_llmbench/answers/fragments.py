"""Is a block the whole file, or an excerpt of it?

A right answer must never be thrown away for its looks: what defines all that the original defines counts as whole
enough to be run, whatever its comments say. What is left out by a mark *and* missing is a fragment.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from pytest_llmbench.answers.languages import language_of_path
from pytest_llmbench.answers.pylines import code_lines
from pytest_llmbench.answers.shapes import Shape

FAR_SHORTER = 4
"""A text with less than one in so many lines of the original is far shorter."""
_COMMENT_MARKS = ("#", "//", "--", "/*", "<!--", ";", "*")
_DOTS = re.compile(r"[\[(<{]?\s?(?:\.{3,}|…+)\s?[\])>}]?$")
_LEFT_OUT = re.compile(
    r"\b(?:rest|remaining|remains?|unchanged|existing|same|previous|omitted|as before|other|keep|kept|original|above"
    r"|truncated|snip|your code|implementation)\b|不变|省略|其余|其他|保持|原有|同上",
    re.IGNORECASE,
)
_PHRASE = re.compile(
    r"\W{0,4}(?:unchanged\b|(?:the )?rest of (?:the |your |this )?(?:code|file|class|methods?|functions?|module|program|script)\b"
    r"|(?:all |the )?(?:other|remaining) (?:methods|functions|code|classes)\b|existing code\b|same as (?:before|above|the original)"
    r"|omitted for brevity|(?:其余|其他)(?:代码|部分|方法)|(?:代码|保持)不变)",
    re.IGNORECASE,
)
_LONGEST_MARK = 160


class Wholeness(IntEnum):
    """How sure it is that a text is the whole file."""

    FRAGMENT = 0
    SUSPECT = 1
    """Complete by its names, but something looks left out."""
    WHOLE = 2


@dataclass(frozen=True, slots=True)
class Grade:
    """A judgement and its reason."""

    wholeness: Wholeness
    reason: str = ""


def grade(text: str, path: str, original: Shape | None, *, sure: bool, known_marks: Collection[str] = ()) -> Grade:
    """Judge whether a text is the whole file.

    Args:
        text: the block.
        path: the file that it is said to be.
        original: the file as the program has it; None if it is new.
        sure: whether the answer itself says that the block is this file.
        known_marks: the original's own lines that look like marks of code left out.
    """
    shape = Shape.of(text, path)
    marks = elisions(text, path, known_marks)
    if original is None:
        return Grade(Wholeness.SUSPECT if marks else Wholeness.WHOLE, _left_out(marks))
    lost = sorted(original.public - shape.defines)
    fewer = lost or sorted(original.methods - shape.methods)
    relies = sorted(shape.relies_on(original))
    for reason, holds in (
        (f"it imports {original.module!r} itself", bool(lost) and original.module in shape.imports),
        (f"{_left_out(marks)} and {_names(fewer)} missing", bool(fewer and marks)),
        (f"{_names(lost)} missing, and it uses {_names(relies)} without defining it", bool(lost and relies)),
        ("it defines nothing of what the file defines", _is_foreign(text, shape, original, sure=sure)),
        (_left_out(marks), bool(marks) and not original.defines and shape.size < original.size),
        ("it is far shorter than the file", not original.defines and not sure and _far_shorter(shape, original)),
    ):
        if holds:
            return Grade(Wholeness.FRAGMENT, reason)
    if marks or relies:
        return Grade(Wholeness.SUSPECT, _left_out(marks) or f"it uses {_names(relies)} without defining it")
    return Grade(Wholeness.WHOLE)


def elisions(text: str, path: str, known: Collection[str] = ()) -> tuple[str, ...]:
    """Return the lines that stand for code left out, such as `# ... rest unchanged ...`.

    Lines that are `known` from the original are no marks.
    """
    if language_of_path(path) == "python":
        lines = [(line.strip(), _indent(line)) for line, code, inside in code_lines(text) if not inside or code.strip()]
    else:
        lines = [(line.strip(), _indent(line)) for line in text.split("\n")]
    lines = [(line, indent) for line, indent in lines if line]
    found = []
    for at, (line, indent) in enumerate(lines):
        if len(line) > _LONGEST_MARK or line in known:
            continue
        if _DOTS.match(line):
            before = lines[at - 1] if at else ("", 0)
            after = lines[at + 1][1] if at + 1 < len(lines) else 0
            if not _is_stub(line, indent, before, after):
                found.append(line)
        elif _says_left_out(line):
            found.append(line)
    return tuple(found)


def _says_left_out(line: str) -> bool:
    mark = next((mark for mark in _COMMENT_MARKS if line.startswith(mark)), None)
    if mark is None:
        return False
    comment = line.lstrip(mark[0] + "!-/* ").removesuffix("-->").removesuffix("*/").strip()
    if _DOTS.match(comment) or _PHRASE.match(comment):
        return True
    dotted = comment.lstrip("[(<").startswith(("...", "…")) or comment.rstrip("])>").endswith(("...", "…"))
    return dotted and _LEFT_OUT.search(comment) is not None


def _is_stub(line: str, indent: int, before: tuple[str, int], after: int) -> bool:
    """Say whether `...` is the whole body of a definition, as Python allows."""
    text, indent_before = before
    opens = text.endswith(":") and indent_before < indent
    documents = text.endswith(('"""', "'''")) and indent_before <= indent
    return line == "..." and indent > after and (opens or documents)


def _is_foreign(text: str, shape: Shape, original: Shape, *, sure: bool) -> bool:
    if not original.defines or original.defines & shape.defines:
        return False
    if not sure:
        return True
    # What is left of a file whose code moved into another one: imports of the old names, or a script with its `#!`.
    moved = bool(original.defines & shape.binds) or text.lstrip().startswith("#!")
    return _far_shorter(shape, original) and not moved


def _far_shorter(shape: Shape, original: Shape) -> bool:
    return shape.size * FAR_SHORTER < original.size


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _left_out(marks: Collection[str]) -> str:
    return f"code is left out at {next(iter(marks))!r}" if marks else ""


def _names(names: Collection[str]) -> str:
    return ", ".join(list(names)[:5])
