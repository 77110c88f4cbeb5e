"""Finds the files of installed distributions, so that just these can be shown to untrusted code.

Never the whole site-packages: the judges and their expected answers may be installed there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath

from pytest_llmbench.errors import SandboxError

_ABOUT = frozenset({"METADATA", "WHEEL", "RECORD", "top_level.txt", "entry_points.txt"})
"""What is shown of `*.dist-info`; direct_url.json, for one, tells where somebody's checkout lies."""

_OPTIONAL = re.compile(r";.*\bextra\s*==")


@dataclass(frozen=True, slots=True)
class Piece:
    """A folder or file on the host, and its place below the folder that goes onto sys.path."""

    source: Path
    place: str


@cache
def locate(names: tuple[str, ...]) -> tuple[Piece, ...]:
    """Return the pieces of the distributions and of those that they require.

    A folder that holds files of one distribution only is one piece; a shared one is taken apart.

    Raises:
        SandboxError: one is not installed, or not in a way that lists its files.
    """
    pieces: list[Piece] = []
    for name in _closure(names):
        pieces += _pieces(metadata.distribution(name))
    return tuple(dict.fromkeys(pieces))


def folders(names: Sequence[str]) -> tuple[str, ...]:
    """Return the folders that the distributions and those that they require lie in.

    Raises:
        SandboxError: one is not installed.
    """
    return tuple(dict.fromkeys(str(metadata.distribution(name).locate_file("")) for name in _closure(names)))


def _closure(names: Sequence[str]) -> list[str]:
    """Return the names and what they need; a requirement under a condition counts if it is installed."""
    found: dict[str, str] = {}
    waiting = [(name, True) for name in names]
    while waiting:
        name, needed = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError as error:
            if not needed:
                continue
            raise SandboxError(
                f"distribution {name!r} is not installed, wanted for the sandbox: pip install {name}"
            ) from error
        found[key] = name
        for requirement in distribution.requires or ():
            match = re.match(r"[A-Za-z0-9._-]+", requirement)
            if match and not _OPTIONAL.search(requirement):
                waiting.append((match[0], ";" not in requirement))
    return list(found.values())


def _pieces(distribution: metadata.Distribution) -> list[Piece]:
    root = Path(os.path.realpath(str(distribution.locate_file(""))))
    files = [PurePosixPath(str(file)) for file in distribution.files or ()]
    files = [file for file in files if ".." not in file.parts and not file.is_absolute()]
    if not any(file.parts[0].endswith(".dist-info") for file in files):
        raise SandboxError(
            f"distribution {distribution.metadata['Name']!r} does not list its files (RECORD): install it with pip "
            "into a virtual environment"
        )
    about = [file for file in files if file.parts[0].endswith(".dist-info") and file.name in _ABOUT]
    code = [file for file in files if not file.parts[0].endswith(".dist-info") and file.suffix != ".pth"]
    if not code:
        raise SandboxError(f"distribution {distribution.metadata['Name']!r} is an editable install: it has no files")
    return [
        *(Piece(root / file, str(file)) for file in about),
        *_whole(root, PurePosixPath(), frozenset(code)),
    ]


def _whole(root: Path, folder: PurePosixPath, files: frozenset[PurePosixPath]) -> Iterable[Piece]:
    """Yield the largest parts below the folder that hold nothing but these files and their bytecode."""
    for name in sorted({file.relative_to(folder).parts[0] for file in files}):
        place = folder / name
        if place in files:
            if (root / place).is_file():
                yield Piece(root / place, str(place))
            continue
        below = frozenset(file for file in files if file.is_relative_to(place))
        if _holds_only(root, place, below):
            yield Piece(root / place, str(place))
        elif name != "__pycache__":
            yield from _whole(root, place, below)


def _holds_only(root: Path, folder: PurePosixPath, files: frozenset[PurePosixPath]) -> bool:
    for where, folders, names in os.walk(root / folder):
        here = PurePosixPath(Path(where).relative_to(root).as_posix())
        if here.name == "__pycache__":
            continue
        if any(here / name not in files for name in names):
            return False
        if any((Path(where) / name).is_symlink() for name in folders):
            return False
    return True
