"""Unified diffs as models write them: context decides, line numbers only help."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from pytest_llmbench.errors import AnswerFault

MAX_HUNKS = 2_000
_LONGEST_HEADER = 2_000
_RANGE = re.compile(r"@@+ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_NO_FILE = "/dev/null"
_BODY = ("+", "-", " ")
_AGENT = re.compile(r"\*\*\* (Update|Add|Delete) File: (.+)$")
"""The header of a file in the patch format that some models were trained to write for their tools."""
_BETWEEN_FILES = ("index ", "new file mode", "deleted file mode", "old mode", "new mode", "similarity index")
_RENAMES = ("rename from ", "rename to ", "copy from ", "copy to ")


class PatchError(Exception):
    """A change cannot be applied; the message is one line that says why."""


@dataclass(slots=True)
class Hunk:
    """One hunk; `old` and `new` are lines without their newline."""

    start: int | None = None
    """Line of the old file, counted from 1; None if the header does not give one."""
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    end_newline: bool | None = None
    """Whether the new file's last line ends with a newline; None if the hunk does not say."""


@dataclass(slots=True)
class FileDiff:
    """All hunks of one file. Paths are as the diff writes them, without `a/` and `b/`; None for no file."""

    old_path: str | None = None
    new_path: str | None = None
    hunks: list[Hunk] = field(default_factory=list)
    headed: bool = False
    """Whether the diff names the file."""


def apply_unified_diff(text: str, diff: str) -> str:
    """Return `text` with the unified diff of one file applied.

    Raises:
        AnswerFault: the diff holds no hunk, is about several files, or does not fit the text.
    """
    files = [file for file in parse_diff(diff.replace("\r\n", "\n").split("\n")) if file.hunks]
    if len(files) != 1:
        raise AnswerFault(f"a unified diff of one file was wanted, this one changes {len(files)}")
    try:
        return apply_hunks(text, files[0].hunks)
    except PatchError as error:
        raise AnswerFault(f"the diff does not apply: {error}") from error


def looks_like_diff(lines: Sequence[str]) -> bool:
    """Say whether the text begins as a diff with headers does."""
    filled = [line for line in lines[:40] if line.strip()]
    return bool(filled) and _starts_file(filled, 0)


def parse_diff(lines: Sequence[str]) -> tuple[FileDiff, ...]:
    """Read a diff of any number of files; wrong counts, missing line numbers and missing headers are forgiven."""
    files: list[FileDiff] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if _starts_file(lines, at):
            at = _read_header(lines, at, files)
        elif line.startswith("@@") or _begins_bare_hunk(line, files):
            files = files or [FileDiff()]
            at = _read_hunk(lines, at, files[-1])
        else:
            at += 1
    for file in files:
        file.hunks = [hunk for hunk in file.hunks if hunk.old != hunk.new or hunk.end_newline is not None]
    return tuple(files)


def _begins_bare_hunk(line: str, files: Sequence[FileDiff]) -> bool:
    """Say whether a hunk without a header begins here: the first lines of a file's part that are marked as changes."""
    return (not files or not files[-1].hunks) and line[:1] in _BODY and line.strip() not in ("", "+", "-", "---")


def bare_extent(lines: Sequence[str], at: int) -> int | None:
    """Return the line after the diff that begins, with its headers, at `at`; None if none begins there."""
    if not _starts_file(lines, at):
        return None
    end, in_hunk = at, False
    while end < len(lines):
        line = lines[end]
        if _starts_file(lines, end) or line.startswith((*_BETWEEN_FILES, *_RENAMES, "--- ", "+++ ")):
            in_hunk = False
        elif line.startswith("@@"):
            in_hunk = True
        elif line.startswith(("*** Begin Patch", "*** End ")):
            in_hunk = False
        elif _AGENT.match(lines[at]) and line[:1] in _BODY:
            in_hunk = True
        elif not in_hunk or not (line.startswith((*_BODY, "\\")) or not line):
            break
        end += 1
    return end


def apply_hunks(text: str, hunks: Sequence[Hunk]) -> str:
    """Return the text with all hunks applied; each must fit at its line, or at exactly one place.

    Raises:
        PatchError: one does not fit, or fits twice.
    """
    if len(hunks) > MAX_HUNKS:
        raise PatchError(f"{len(hunks)} hunks, at most {MAX_HUNKS} are taken")
    lines = text.split("\n")
    ended = not text or text.endswith("\n")
    if ended:
        lines.pop()
    haystack = _Haystack(lines)
    places: list[tuple[int, Hunk]] = []
    cursor = 0
    for number, hunk in enumerate(hunks, 1):
        try:
            at = _place(haystack, hunk, cursor)
        except PatchError as error:
            raise PatchError(f"hunk {number} of {len(hunks)}: {error}") from None
        places.append((at, hunk))
        cursor = max(cursor, at + len(hunk.old))
    places.sort(key=lambda place: place[0])
    done: list[str] = []
    since = 0
    for at, hunk in places:
        if at < since:
            raise PatchError("two hunks change the same lines")
        done += lines[since:at]
        done += _with_kept_context(lines[at : at + len(hunk.old)], hunk)
        since = at + len(hunk.old)
        if since == len(lines) and hunk.end_newline is not None:
            ended = hunk.end_newline
    done += lines[since:]
    return "\n".join(done) + ("\n" if ended and done else "")


def is_applied(text: str, hunks: Sequence[Hunk]) -> bool:
    """Say whether the text already holds the new side of every hunk."""
    haystack = _Haystack(text.split("\n"))
    return all(hunk.new and haystack.find(hunk.new, 0) for hunk in hunks[:MAX_HUNKS])


def find_once(lines: Sequence[str], wanted: Sequence[str]) -> int:
    """Return where the wanted lines stand, blanks at the ends of lines aside.

    Raises:
        PatchError: nowhere, or more than once.
    """
    return _only(_Haystack(lines).find(wanted, 0), wanted)


class _Haystack:
    """Lines in which runs of lines are looked for, in linear time by string search."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.size = len(lines)
        self._text = _joined(lines)
        self._offsets = [0]
        for line in lines:
            self._offsets.append(self._offsets[-1] + len(line.rstrip()) + 1)
        self._line_at = {offset: at for at, offset in enumerate(self._offsets)}

    def find(self, wanted: Sequence[str], start: int) -> tuple[int, ...]:
        """Return the first two places from line `start` on."""
        needle = _joined(wanted)
        places: list[int] = []
        offset = self._text.find(needle, self._offsets[min(start, self.size)])
        while offset >= 0 and len(places) <= 1:
            places.append(self._line_at[offset])
            offset = self._text.find(needle, offset + 1)
        return tuple(places)

    def holds(self, wanted: Sequence[str], at: int) -> bool:
        """Say whether the wanted lines stand at line `at`."""
        return 0 <= at <= self.size and self._text.startswith(_joined(wanted), self._offsets[at])


def _joined(lines: Sequence[str]) -> str:
    return "\n" + "".join(line.rstrip() + "\n" for line in lines)


def _place(haystack: _Haystack, hunk: Hunk, cursor: int) -> int:
    if not hunk.old:
        if haystack.size == 0:
            return 0
        if hunk.start is None or hunk.start > haystack.size:
            raise PatchError("it only adds lines and does not say where")
        return hunk.start
    if hunk.start is not None and haystack.holds(hunk.old, hunk.start - 1):
        return hunk.start - 1
    return _only(haystack.find(hunk.old, cursor) or haystack.find(hunk.old, 0), hunk.old)


def _only(places: Sequence[int], wanted: Sequence[str]) -> int:
    if len(places) == 1:
        return places[0]
    telling = next((line.strip() for line in wanted if line.strip()), "")[:80]
    where = "not found" if not places else "found more than once"
    raise PatchError(f"the {len(wanted)} lines to be changed, from {telling!r}, are {where}")


def _with_kept_context(present: Sequence[str], hunk: Hunk) -> list[str]:
    """Return the new lines; context keeps the blanks that the file has at the ends of its lines."""
    shared = 0
    limit = min(len(hunk.old), len(hunk.new))
    while shared < limit and hunk.old[shared] == hunk.new[shared]:
        shared += 1
    tail = 0
    while tail < limit - shared and hunk.old[-1 - tail] == hunk.new[-1 - tail]:
        tail += 1
    return [
        *present[:shared],
        *hunk.new[shared : len(hunk.new) - tail],
        *(present[len(present) - tail :] if tail else ()),
    ]


def _starts_file(lines: Sequence[str], at: int) -> bool:
    line = lines[at]
    if line.startswith(("diff --git ", "*** ")):
        return line.startswith("diff") or _AGENT.match(line[:_LONGEST_HEADER]) is not None
    return line.startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


def _read_header(lines: Sequence[str], at: int, files: list[FileDiff]) -> int:
    file = FileDiff(headed=True)
    files.append(file)
    if agent := _AGENT.match(lines[at]):
        verb, path = agent.group(1), agent.group(2).strip()
        file.old_path, file.new_path = (None if verb == "Add" else path), (None if verb == "Delete" else path)
        return at + 1
    if lines[at].startswith("diff --git "):
        old, _, new = lines[at].removeprefix("diff --git ").partition(" b/")
        file.old_path, file.new_path = _path(old), new.strip() or None
        at += 1
        while at < len(lines) and lines[at].startswith((*_BETWEEN_FILES, *_RENAMES)):
            at += 1
    if at + 1 < len(lines) and lines[at].startswith("--- ") and lines[at + 1].startswith("+++ "):
        file.old_path, file.new_path = _path(lines[at][4:]), _path(lines[at + 1][4:])
        at += 2
    return at


def _path(written: str) -> str | None:
    path = written.split("\t", 1)[0].strip().strip('"')
    if path == _NO_FILE:
        return None
    return path[2:] if path.startswith(("a/", "b/")) else path


def _read_hunk(lines: Sequence[str], at: int, file: FileDiff) -> int:
    ranges = _RANGE.match(lines[at])
    hunk = Hunk(int(ranges.group(1)) if ranges else None)
    file.hunks.append(hunk)
    if lines[at].startswith("@@"):
        at += 1
    last = ""
    while at < len(lines):
        line = lines[at]
        if line.startswith(("@@", "*** ")) or _starts_next_file(lines, at):
            break
        kind, text = (line[0], line[1:]) if line[:1] in (" ", "+", "-", "\\") else (" ", line)
        if kind == "\\":
            hunk.end_newline = last == "-"
        else:
            hunk.old += [text] if kind != "+" else []
            hunk.new += [text] if kind != "-" else []
            last = kind
        at += 1
    _drop_blank_end(hunk, lines[at - 1] if at else "")
    return at


def _starts_next_file(lines: Sequence[str], at: int) -> bool:
    """Like `_starts_file`, but a removed `-- comment` before an added `++ x` is no header without a hunk behind it."""
    if lines[at].startswith("diff --git "):
        return True
    return _starts_file(lines, at) and at + 2 < len(lines) and lines[at + 2].startswith("@@")


def _drop_blank_end(hunk: Hunk, last_line: str) -> None:
    """Drop empty lines at the end that carry no mark: they belong to the text around the diff."""
    if last_line:
        return
    while hunk.old and hunk.new and not hunk.old[-1] and not hunk.new[-1]:
        hunk.old.pop()
        hunk.new.pop()
