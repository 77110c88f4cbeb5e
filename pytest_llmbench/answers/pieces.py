"""What the forms of an answer are read into."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from pytest_llmbench.answers.fences import Block, scan


class Kind(Enum):
    """What the text of a piece is."""

    FILE = "file"
    DIFF = "diff"
    """A unified diff; may concern several files."""
    EDITS = "edits"
    """Search and replace blocks; may concern several files."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer that is a file or changes files."""

    text: str
    first: int
    """First line of the answer that belongs to it, its label included, counted from 0."""
    last: int
    label: str | None = None
    """The path as the answer writes it; None if it does not."""
    sure: bool = True
    """Whether the label can only be meant as one; False if prose near the block mentions the path."""
    language: str = ""
    kind: Kind = Kind.FILE


@dataclass(frozen=True, slots=True)
class Page:
    """A text as the forms read it."""

    lines: tuple[str, ...]
    blocks: tuple[Block, ...]
    known: frozenset[str]
    """Paths of the program and those that are wanted."""
    depth: int = 0
    """How often a block was opened to read what is in it."""
    _fenced: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def of(cls, text: str, known: frozenset[str], depth: int = 0) -> Page:
        """Read a text whose lines end with a newline only."""
        lines = tuple(text.split("\n"))
        blocks = scan(lines)
        fenced = frozenset(at for block in blocks for at in range(block.first, block.last + 1))
        return cls(lines, blocks, known, depth, fenced)

    def outside(self, at: int) -> bool:
        """Say whether a line lies outside all fenced blocks."""
        return at not in self._fenced

    def text(self, start: int, stop: int) -> str:
        """Return lines `start` to `stop`, exclusive, each with its newline."""
        return "".join(line + "\n" for line in self.lines[start:stop])
