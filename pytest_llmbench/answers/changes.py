"""Diffs and search and replace blocks of an answer as changes of single files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pytest_llmbench.answers.diffs import FileDiff, PatchError, apply_hunks, is_applied, parse_diff
from pytest_llmbench.answers.pieces import Kind, Piece
from pytest_llmbench.answers.searchreplace import Edit, apply_edit, read_edits


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one file."""

    label: str | None
    at: int
    """Line of the answer."""
    what: FileDiff | Edit
    sure: bool = True

    @property
    def creates(self) -> bool:
        """Whether the file need not be there before."""
        if isinstance(self.what, Edit):
            return not any(line.strip() for line in self.what.old)
        return (self.what.headed and self.what.old_path is None) or not any(hunk.old for hunk in self.what.hunks)

    @property
    def deletes(self) -> bool:
        """Whether the file is to go."""
        return isinstance(self.what, FileDiff) and self.what.headed and self.what.new_path is None

    def apply(self, text: str) -> str:
        """Return the changed text.

        Raises:
            PatchError: the change does not fit.
        """
        if isinstance(self.what, Edit):
            return apply_edit(text, self.what)
        if self.what.headed and self.what.old_path is None:
            return apply_hunks("", self.what.hunks)
        return apply_hunks(text, self.what.hunks)

    def is_applied(self, text: str) -> bool:
        """Say whether the text looks as if the change had been made already."""
        if isinstance(self.what, Edit):
            return bool(self.what.new) and "\n".join(self.what.new) in text
        return is_applied(text, self.what.hunks)


def read_changes(piece: Piece, known: Collection[str]) -> Iterator[Change]:
    """Yield the changes that a piece holds."""
    lines = piece.text.split("\n")
    if piece.kind is Kind.EDITS:
        for edit in read_edits(lines, known):
            yield Change(edit.label or piece.label, piece.first + edit.first, edit, piece.sure)
        return
    for file in parse_diff(lines):
        if file.hunks or (file.headed and file.new_path is None):
            yield Change(file.new_path or file.old_path or piece.label, piece.first, file, file.headed)


def match_change(change: Change, texts: Mapping[str, str]) -> str | None:
    """Return the only file that an unlabelled change fits; None if there is none, or more than one."""
    if len(texts) == 1:
        return next(iter(texts))
    fitting = [path for path, text in texts.items() if _applies(change, text)]
    return fitting[0] if len(fitting) == 1 else None


def _applies(change: Change, text: str) -> bool:
    try:
        change.apply(text)
    except PatchError:
        return False
    return True
