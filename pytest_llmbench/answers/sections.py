"""Files between marks of their own: XML-like tags and lines such as `=== a.py ===`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from pytest_llmbench.answers.names import looks_like_path
from pytest_llmbench.answers.pieces import Page, Piece

_TAGS = "file|document|source|code|artifact|create_file|write_file|write_to_file|file_content"
_OPEN = re.compile(
    rf"\s*<({_TAGS})\s[^<>]{{0,200}}?\b(?:path|name|filename|file)\s?=\s?[\"']([^\"'<>]+)[\"'][^<>]*>", re.IGNORECASE
)
_PATH_LINE = re.compile(r"\s*<(path|filename|file_path|filepath)>([^<>]+)</\1>\s*$", re.IGNORECASE)
_CONTENT_OPEN = re.compile(r"\s*<(content|contents|code|source|file_content)>", re.IGNORECASE)
_MARKS = "=-*#+~"
_LONGEST = 400
_SHORTEST = 5


def tagged_files(page: Page) -> Iterator[Piece]:
    """`<file path="a.py">…</file>`, and `<path>a.py</path><content>…</content>`."""
    ends: dict[str, list[int]] = {}
    at = 0
    while at < len(page.lines):
        found = _tag(page, at) if page.outside(at) else None
        stop = _close(page, found[2], found[1], ends) if found is not None else None
        if found is None or stop is None:
            at += 1
            continue
        label, tag, begin, head = found
        body = [head, *page.lines[begin + 1 : stop]] if head.strip() else list(page.lines[begin + 1 : stop])
        tail = page.lines[stop][: page.lines[stop].lower().find(f"</{tag.lower()}>")]
        body += [tail] if tail.strip() else []
        yield Piece(_unwrapped("".join(line + "\n" for line in body), page), at, stop, label)
        at = stop + 1


def _tag(page: Page, at: int) -> tuple[str, str, int, str] | None:
    """Return (label, tag, line of the opening tag, text after it) if a file's tag opens in line `at`."""
    line = page.lines[at]
    if "<" not in line or not line.lstrip().startswith("<"):
        return None
    if found := _OPEN.match(line[:_LONGEST]):
        label = found.group(2).strip()
        return (label, found.group(1), at, line[found.end() :]) if looks_like_path(label, page.known) else None
    path = _PATH_LINE.match(line[:_LONGEST])
    if path is not None and at + 1 < len(page.lines):
        following = page.lines[at + 1]
        content = _CONTENT_OPEN.match(following[:_LONGEST])
        if content is not None and looks_like_path(path.group(2).strip(), page.known):
            return path.group(2).strip(), content.group(1), at + 1, following[content.end() :]
    return None


def _close(page: Page, begin: int, tag: str, ends: dict[str, list[int]]) -> int | None:
    """Return the first line from `begin` on that holds the closing tag."""
    mark = f"</{tag.lower()}>"
    if mark not in ends:
        ends[mark] = [at for at in range(len(page.lines) - 1, -1, -1) if mark in page.lines[at].lower()]
    while ends[mark] and ends[mark][-1] < begin:
        ends[mark].pop()
    return ends[mark][-1] if ends[mark] else None


def _unwrapped(text: str, page: Page) -> str:
    """Take a fence or a CDATA mark off that encloses the whole text."""
    bare = text.strip()
    if bare.startswith("<![CDATA[") and bare.endswith("]]>"):
        return bare.removeprefix("<![CDATA[").removesuffix("]]>").removeprefix("\n")
    if bare.startswith(("```", "~~~")):
        inner = Page.of(bare, page.known)
        if len(inner.blocks) == 1 and inner.blocks[0].last == len(inner.lines) - 1:
            return inner.blocks[0].text
    return text.removeprefix("\n")


def section_files(page: Page) -> Iterator[Piece]:
    """`=== a.py ===`, then the file, up to the next such line; only where no fence is in the section."""
    marks = [(at, label) for at in range(len(page.lines)) if page.outside(at) and (label := _mark(page, at))]
    for (at, label), (stop, _) in pairwise([*marks, (len(page.lines), "")]):
        fenced = any(not page.outside(line) for line in range(at, stop))
        text = page.text(at + 1, stop).strip("\n")
        if not fenced and text:
            yield Piece(text + "\n", at, stop - 1, label, sure=True)


def _mark(page: Page, at: int) -> str | None:
    line = page.lines[at].strip()
    if len(line) > _LONGEST or len(line) < _SHORTEST:
        return None
    for comment in ("# ", "// ", "-- "):
        line = line.removeprefix(comment)
    run = line[:1]
    if run not in _MARKS or not run or not (line.startswith(run * 2) and line.endswith(run * 2)):
        return None
    label = line.strip(run).strip()
    for title in ("file:", "File:", "FILE:", "file", "File", "FILE", "begin", "BEGIN"):
        label = label.removeprefix(title + " " if not title.endswith(":") else title).strip()
    label = label.strip("`\"'")
    return label if " " not in label and looks_like_path(label, page.known) else None
