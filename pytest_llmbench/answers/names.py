"""Which paths of an answer are safe, and which file of the program they mean."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from pathlib import PurePosixPath

from pytest_llmbench.answers.languages import FILE_SUFFIXES

MAX_PART_BYTES = 255
MAX_PATH_BYTES = 1024
_RESERVED = frozenset({".", "..", ".git"})
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Letters, marks and symbols without ink, which Unicode does not count among the format characters."""
_FAMILIAR = frozenset({"Makefile", "Dockerfile", "Containerfile", "LICENSE"})
_HERE = re.compile(r"^(?:\./)+")
_ROOTED = ("/", "../", "~/", "..\\", "./")


def refusal(path: str) -> str | None:
    """Return why a file of that name is not taken, None if it is."""
    return next((reason for reason, holds in _REFUSALS if holds(path)), None)


def _unseen(path: str) -> bool:
    return any(
        unicodedata.category(char) in _UNSEEN
        or char in _INVISIBLE
        or "VARIATION SELECTOR" in unicodedata.name(char, "")
        or (char.isspace() and char != " ")
        for char in path
        if not " " <= char <= "~"
    )


def _too_long(path: str) -> bool:
    size_bytes = len(path.encode("utf-8", "surrogatepass"))
    return size_bytes > MAX_PATH_BYTES or any(
        len(part.encode("utf-8", "surrogatepass")) > MAX_PART_BYTES for part in path.split("/")
    )


def _reserved(path: str) -> bool:
    return any(part.casefold() in _RESERVED for part in path.split("/"))


_REFUSALS = (
    ("an empty name", lambda path: not path.strip()),
    ("a control, invisible or direction-changing character", _unseen),
    ("a backslash", lambda path: "\\" in path),
    ("an absolute path", lambda path: path.startswith("/")),
    ("a home directory", lambda path: path.startswith("~")),
    ("a directory", lambda path: path.endswith("/")),
    ("a shell variable or substitution", lambda path: "$" in path or "`" in path),
    ("an empty part", lambda path: "" in path.split("/")),
    ("a blank at an end of a part", lambda path: any(part != part.strip() for part in path.split("/"))),
    ("a part that is '.', '..' or '.git'", _reserved),
    (f"longer than {MAX_PART_BYTES} bytes a part or {MAX_PATH_BYTES} in all", _too_long),
)


def plain(label: str) -> str:
    """Return the label without the `./` that many put in front of a relative path."""
    return _HERE.sub("", label)


def looks_like_path(word: str, known: Collection[str]) -> bool:
    """Say whether a word means a file, safe or not. `threading.Event` and `client/server` do not."""
    if word in known or plain(word) in known or word in _FAMILIAR:
        return True
    name = PurePosixPath(word.replace("\\", "/")).name
    if name.startswith(".") and name.lower() in FILE_SUFFIXES and "/" not in word:
        return False
    suffix = "." + name.rpartition(".")[2].lower() if "." in name else ""
    return suffix in FILE_SUFFIXES or (word.startswith(_ROOTED) and len(word.strip("./\\~")) > 0)


def resolve(labels: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Map each safe label to the file that it means.

    A label that only differs from one known path by directories in front means that path, unless another label of the
    same answer means it too; any other label is a new file.
    """
    meant = {label: plain(label) for label in labels}
    taken = {path for path in meant.values() if path in known}
    claims: dict[str, set[str]] = {}
    for path in meant.values():
        if path not in known:
            similar = [name for name in known if _ends_with(path, name) or _ends_with(name, path)]
            if len(similar) == 1 and similar[0] not in taken:
                claims.setdefault(similar[0], set()).add(path)
    moved = {next(iter(paths)): name for name, paths in claims.items() if len(paths) == 1}
    return {label: moved.get(path, path) for label, path in meant.items()}


def _ends_with(path: str, name: str) -> bool:
    return path.endswith("/" + name)
