"""What a YAML file says, with the line of every part. Text in, a tree out; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pytest_llmbench.errors import UsageFault


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands, for messages."""

    file: str
    line: int
    """From 1."""
    path: tuple[str, ...] = ()
    """Keys from the top; a list's place is `[3]`, from 0."""

    def __str__(self) -> str:
        """Return `FILE:LINE: a.b[0]`."""
        return ": ".join(part for part in (f"{self.file}:{self.line}", self.dotted) if part)

    @property
    def dotted(self) -> str:
        """The path alone; of a key such as `NAME=value`, a slip for `NAME: value`, no more than the name."""
        keys = (key.partition("=")[0] for key in self.path)
        return "".join(key if key.startswith("[") else f".{key}" for key in keys).removeprefix(".")

    def below(self, key: str, line: int) -> Place:
        """Return the place of what is inside."""
        return Place(self.file, line, (*self.path, key))

    def fault(self, problem: str) -> UsageFault:
        """Return what to raise here."""
        return UsageFault(f"{self}: {' '.join(problem.split())}")


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text, a number, yes or no, or nothing."""

    place: Place
    value: str | int | float | bool | None
    text: str
    """As it is written: `0.90`, where `value` is 0.9."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    items: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping; its keys are texts, as they are written."""

    place: Place
    entries: Mapping[str, Tree]

    def without(self, *keys: str) -> Table:
        """Return the same less some keys."""
        return replace(self, entries={key: inner for key, inner in self.entries.items() if key not in keys})


Tree = Scalar | Items | Table


def plain(tree: Tree) -> Any:
    """Return what the tree says, without the places."""
    match tree:
        case Scalar():
            return tree.value
        case Items():
            return [plain(item) for item in tree.items]
        case Table():
            return {key: plain(inner) for key, inner in tree.entries.items()}


def is_nothing(tree: Tree | None) -> bool:
    """Whether it is absent, or written down as null."""
    return tree is None or (isinstance(tree, Scalar) and tree.value is None)
