"""Which path an answer gives to a fenced block: in its info string, in a first-line comment, or above it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pytest_llmbench.answers.fences import Block, first_word
from pytest_llmbench.answers.languages import canonical, fits, language_of_path
from pytest_llmbench.answers.names import looks_like_path

_ATTRIBUTE = re.compile(r"([A-Za-z_]{1,20})\s?=\s?(\"[^\"]*\"|'[^']*'|[^\s{}]+)")
_PATH_KEYS = frozenset({"title", "file", "filename", "path", "name", "src", "filepath"})
_COMMENTS = (("<!--", "-->"), ("/*", "*/"), ("//", ""), ("#", ""), ("--", ""), (";", ""), ("%", ""))
_COMMENT_MARKS = {"python": ("#",), "shell": ("#",), "yaml": ("#",), "toml": ("#",), "sql": ("--", "/*"), "json": ()}
_TITLE = re.compile(r"(?:file[ _-]?name|file[ _-]?path|file|path|文件名|文件)\s?[::]\s?", re.IGNORECASE)
_AFTER_PATH = re.compile(r"\s*(?:$|[(\-–—:|,\[])")  # noqa: RUF001 - dashes as models write them
_BETWEEN = "\\s`*\"'()\\[\\]{}<>,;:!?|\u3000-\u303f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af\uff00-\uffef"
_WORD = re.compile(f"[^{_BETWEEN}]+")
_SPAN = re.compile(r"`([^`\n]+)`")
_LABEL_CHARS = 300
_LINES_ABOVE = 12
_INFO_WORDS = 20


@dataclass(frozen=True, slots=True)
class Label:
    """A path as an answer writes it beside a block."""

    path: str
    sure: bool = True
    """False if prose only mentions it."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A block with what could be found out about it."""

    label: Label | None
    language: str
    text: str
    """The block's text; without the comment that names the file where the comment would break the file."""
    first: int
    """First line that belongs to it."""


def read_block(block: Block, lines: Sequence[str], previous_end: int, known: Collection[str]) -> Labelled:
    """Find the label of a block.

    Args:
        block: the block.
        lines: of the whole answer.
        previous_end: the line after the block before this one.
        known: paths of the program.
    """
    named = _info_path(block.info, known)
    language = _language(block.info, named)
    text, commented = _comment_label(block.text, known)
    if named is not None:
        kept = text if commented == named else block.text
        return Labelled(Label(named), language, kept, block.first)
    if commented is not None:
        return Labelled(Label(commented), language, text, block.first)
    for at, label in _above(lines, previous_end, block.first, known):
        if fits(language, label.path) or language == "diff":
            return Labelled(label, language, block.text, at)
        break
    return Labelled(None, language, block.text, block.first)


def _language(info: str, path: str | None) -> str:
    word = first_word(info)
    if path is not None and (not word or word in path):
        return language_of_path(path)
    return canonical(word)


def _info_path(info: str, known: Collection[str]) -> str | None:
    for key, value in _ATTRIBUTE.findall(info):
        bare = value.strip("\"'")
        if key.lower() in _PATH_KEYS and (looks_like_path(bare, known) or bare.startswith(("~", "/"))):
            return str(bare)
    words = _ATTRIBUTE.sub(" ", info).strip("{} ").split(" ")
    for word in words[:_INFO_WORDS]:
        candidates = [word.strip("\"'`()[],{}")]
        language, colon, rest = candidates[0].partition(":")
        if colon and language.replace("+", "").replace("-", "").isalnum():
            candidates = [rest.rpartition(":")[2] if language.isdigit() else rest]
        candidates = [path.removesuffix(":") for path in candidates]
        found = next((path for path in candidates if path and looks_like_path(path, known)), None)
        if found is not None:
            return found
    return None


def _comment_label(text: str, known: Collection[str]) -> tuple[str, str | None]:
    lines = text.split("\n", 5)
    at = next((number for number, line in enumerate(lines[:4]) if line.strip() and not line.startswith("#!")), None)
    if at is None:
        return text, None
    found = _comment(lines[at])
    if found is None:
        return text, None
    mark, comment = found
    comment = comment[match.end() :] if (match := _TITLE.match(comment)) else comment
    word = comment.split(" ", 1)[0].split("\t", 1)[0].rstrip(":,").strip("`\"'*=")
    if not looks_like_path(word, known) or not _AFTER_PATH.match(comment.partition(word)[2].lstrip("`\"'*=")):
        return text, None
    following = lines[at + 1] if at + 1 < len(lines) else ""
    marks = _COMMENT_MARKS.get(language_of_path(word))
    if following.startswith(("#!", "<?xml")) or (marks is not None and mark not in marks):
        return "\n".join(lines[:at] + lines[at + 1 :]), word
    return text, word


def _comment(line: str) -> tuple[str, str] | None:
    stripped = line.strip()
    if len(stripped) > _LABEL_CHARS or stripped.startswith("---"):  # the header of a diff
        return None
    for mark, end in _COMMENTS:
        if stripped.startswith(mark):
            return mark, stripped.removesuffix(end).lstrip(mark[0] + "!-=* ").rstrip("=-*# ")
    return None


def _above(lines: Sequence[str], start: int, stop: int, known: Collection[str]) -> Iterator[tuple[int, Label]]:
    """Yield at most one label: of the nearest line if it mentions a path, else of the nearest heading that is one."""
    seen = 0
    for at in range(stop - 1, start - 1, -1):
        line = lines[at].strip()
        if not line:
            continue
        seen += 1
        if seen > _LINES_ABOVE:
            return
        if len(line) > _LABEL_CHARS:
            continue
        path = only_path(line, known)
        if path is None:
            continue
        exact = _is_label_line(line, path)
        if exact or seen == 1 or line.startswith("#"):
            yield at, Label(path, exact)
            return


def only_path(line: str, known: Collection[str]) -> str | None:
    """Return the one path that a line of prose names; None for none or several, unless one of them is known."""
    spans = [span.strip() for span in _SPAN.findall(line)]
    paths = {span for span in spans if " " not in span and looks_like_path(span, known)}
    if not paths:
        words = (word.rstrip(".").strip("#=") for word in _WORD.findall(line))
        paths = {word for word in words if word and looks_like_path(word, known)}
    if len(paths) > 1:
        paths &= set(known)
    return next(iter(paths)) if len(paths) == 1 else None


def _is_label_line(line: str, path: str) -> bool:
    """Say whether a line holds the path and only decoration besides, such as `### 1. **File:** x.py (new)`."""
    before, _, after = line.partition(path)
    before = _TITLE.sub("", before.replace("*", "").replace("`", ""))
    return not _WORD_CHARS.search(before.lstrip("0123456789.#) ")) and bool(_AFTER_PATH.match(after.lstrip("`*_=# ")))


_WORD_CHARS = re.compile(r"[^\W\d_]")
