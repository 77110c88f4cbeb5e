"""The forms in which answers hold files, one function each: page -> pieces."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from pytest_llmbench.answers.diffs import bare_extent, looks_like_diff
from pytest_llmbench.answers.fences import Block
from pytest_llmbench.answers.heredocs import read_heredocs, read_opening
from pytest_llmbench.answers.labels import Label, Labelled, read_block
from pytest_llmbench.answers.languages import language_of_path
from pytest_llmbench.answers.names import looks_like_path, plain
from pytest_llmbench.answers.pieces import Kind, Page, Piece
from pytest_llmbench.answers.searchreplace import has_edits, read_edits
from pytest_llmbench.answers.sections import section_files, tagged_files

_DEEPEST = 2
_CODE_BEGINS = ("import ", "from ", "def ", "class ", "async def ", "#!")
_LONGEST_JSON = 4_000_000


def read_pieces(page: Page) -> tuple[Piece, ...]:
    """Return all pieces of an answer in their order; where two forms see the same lines, the earlier form has them."""
    pieces: list[Piece] = []
    claimed: set[int] = set()
    for form in FORMS:
        found = [piece for piece in form(page) if piece.first not in claimed and piece.last not in claimed]
        for piece in found:
            claimed.update(range(piece.first, piece.last + 1))
        pieces += found
    return tuple(sorted(pieces, key=lambda piece: piece.first)) or tuple(bare_program(page))


def fenced(page: Page) -> Iterator[Piece]:
    """Fenced blocks, each read by the first reader that finds something in it."""
    previous_end = 0
    for block in page.blocks:
        labelled = read_block(block, page.lines, previous_end, page.known)
        previous_end = block.last + 1
        for read in BLOCK_READERS:
            found = read(page, block, labelled)
            if found:
                yield from found
                break


def bare_heredocs(page: Page) -> Iterator[Piece]:
    """A shell script of here-documents without a fence around it."""
    script: list[str] = []
    first = at = 0
    last = -1
    while at < len(page.lines):
        line = page.lines[at]
        opening = read_opening(line) if "<<" in line and "`" not in line and page.outside(at) else None
        if opening is None or opening.path is None:
            at += 1
            continue
        end = next((end for end in range(at + 1, len(page.lines)) if opening.ends_at(page.lines[end])), None)
        if end is None:
            break
        first = first if script else at
        script += page.lines[at : end + 1]
        last, at = end, end + 1
    yield from (Piece(file.text, first, last, file.path) for file in read_heredocs(script))


def bare_diffs(page: Page) -> Iterator[Piece]:
    """Unified diffs without a fence around them."""
    at = 0
    while at < len(page.lines):
        end = bare_extent(page.lines, at) if page.outside(at) else None
        if end is None:
            at += 1
            continue
        yield Piece(page.text(at, end), at, end - 1, kind=Kind.DIFF)
        at = end


def bare_edits(page: Page) -> Iterator[Piece]:
    """Search and replace blocks without a fence around them."""
    if any("<<<<<" in line for line in page.lines):
        for edit in read_edits(page.lines, page.known):
            if page.outside(edit.first):
                yield Piece(page.text(edit.first, edit.last + 1), edit.first, edit.last, edit.label, kind=Kind.EDITS)


def bare_json(page: Page) -> Iterator[Piece]:
    """One JSON object that maps paths to texts."""
    text = page.text(0, len(page.lines)).strip()
    if text.startswith("{") and text.endswith("}"):
        yield from _json_files(text, page, 0, len(page.lines) - 1)


def bare_program(page: Page) -> Iterator[Piece]:
    """Nothing but the program itself, without fence or prose."""
    if not page.blocks and any(line.startswith(_CODE_BEGINS) for line in page.lines):
        text = page.text(0, len(page.lines)).strip("\n") + "\n"
        yield Piece(text, 0, len(page.lines) - 1, sure=False)


FORMS: tuple[Callable[[Page], Iterator[Piece]], ...] = (
    tagged_files,
    bare_heredocs,
    bare_edits,
    section_files,
    fenced,
    bare_diffs,
    bare_json,
)


def _read_json(page: Page, block: Block, labelled: Labelled) -> list[Piece]:
    if labelled.label is not None or not block.text.lstrip().startswith("{"):
        return []
    return list(_json_files(block.text, page, block.first, block.last))


def _read_edits(_page: Page, block: Block, labelled: Labelled) -> list[Piece]:
    if not has_edits(block.text.split("\n")):
        return []
    return [_piece(block, labelled, labelled.label, Kind.EDITS)]


def _read_diff(_page: Page, block: Block, labelled: Labelled) -> list[Piece]:
    label = labelled.label
    if label is not None and language_of_path(label.path) == "diff":
        label = None
    if labelled.language != "diff" and not looks_like_diff(block.text.split("\n")):
        return []
    return [_piece(block, labelled, label, Kind.DIFF)]


def _read_heredocs(page: Page, block: Block, labelled: Labelled) -> list[Piece]:
    label = labelled.label
    if labelled.language not in ("shell", "session", "") or (label is not None and plain(label.path) in page.known):
        return []
    files = read_heredocs(block.text.split("\n")) if "<<" in block.text else ()
    scripts = [path for path in page.known if language_of_path(path) == "shell"]
    if len(page.known) == 1 and scripts and not any(plain(file.path) in page.known for file in files):
        return []
    return [Piece(file.text, block.first, block.last, file.path) for file in files]


def _read_inner(page: Page, block: Block, labelled: Labelled) -> list[Piece]:
    """Read what a block encloses that is no file itself: a whole answer, tagged files, sections."""
    forms = _INNER_FORMS.get(labelled.language)
    if forms is None or labelled.label is not None or page.depth >= _DEEPEST:
        return []
    inner = Page.of(block.text, page.known, page.depth + 1)
    found = [piece for form in forms for piece in form(inner)]
    return [replace(piece, first=block.first, last=block.last) for piece in found if piece.label is not None]


def _read_file(_page: Page, block: Block, labelled: Labelled) -> list[Piece]:
    return [_piece(block, labelled, labelled.label, Kind.FILE)] if block.text.strip() else []


BLOCK_READERS = (_read_json, _read_edits, _read_diff, _read_heredocs, _read_inner, _read_file)

_INNER_FORMS: dict[str, tuple[Callable[[Page], Iterator[Piece]], ...]] = {
    "markdown": (tagged_files, fenced),
    "xml": (tagged_files,),
    "text": (tagged_files, section_files),
    "": (tagged_files, section_files),
}


def _piece(block: Block, labelled: Labelled, label: Label | None, kind: Kind) -> Piece:
    path, sure = (label.path, label.sure) if label is not None else (None, False)
    return Piece(labelled.text, labelled.first, block.last, path, sure, labelled.language, kind)


def _json_files(text: str, page: Page, first: int, last: int) -> Iterator[Piece]:
    if len(text) > _LONGEST_JSON:
        return
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        value = value.get("files", value)
    if isinstance(value, list):
        value = dict(filter(None, map(_json_entry, value)))
    if isinstance(value, dict) and value:
        pairs = [(path, body) for path, body in value.items() if isinstance(body, str)]
        if len(pairs) == len(value) and all(looks_like_path(path, page.known) for path, _ in pairs):
            yield from (Piece(body.replace("\r\n", "\n"), first, last, path) for path, body in pairs)


def _json_entry(entry: Any) -> tuple[str, str] | None:
    if not isinstance(entry, dict):
        return None
    path = next((entry[key] for key in ("path", "name", "filename", "file") if key in entry), None)
    body = next((entry[key] for key in ("content", "contents", "text", "code") if key in entry), None)
    return (path, body) if isinstance(path, str) and isinstance(body, str) else None
