"""Shell scripts that write files by here-documents."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_OPENING = re.compile(r"(?<!<)<<(-?)[ \t]*(?:'([^'\n]{1,80})'|\"([^\"\n]{1,80})\"|(\\?)([A-Za-z_][\w.-]{0,80}))")
_WORD = r"(\"[^\"\n]*\"|'[^'\n]*'|[^\s<>|&;'\"`]+)"
_REDIRECT = re.compile(r"(?<![\d&>])(>{1,2}\|?)[ \t]*" + _WORD)
_TEE = re.compile(r"\btee[ \t]+((?:-a|--append)[ \t]+)?(?:--[ \t]+)?" + _WORD)
_ESCAPED = re.compile(r"\\([$`\\])")
_NO_FILES = frozenset({"/dev/null", "/dev/stderr", "/dev/stdout"})
_LONGEST_COMMAND = 1_000


@dataclass(frozen=True, slots=True)
class Opening:
    """A command line that opens a here-document."""

    delimiter: str
    quoted: bool
    strip_tabs: bool
    path: str | None
    """Where the text goes; None if not into a file."""
    append: bool = False

    def ends_at(self, line: str) -> bool:
        """Say whether this line is the delimiter; blanks after it are forgiven."""
        return (line.lstrip("\t") if self.strip_tabs else line).rstrip() == self.delimiter


@dataclass(frozen=True, slots=True)
class Written:
    """A file as the script leaves it."""

    path: str
    text: str


@dataclass(slots=True)
class HeredocLines:
    """Follows a script line by line; `inside` tells whether the next line belongs to a here-document."""

    opening: Opening | None = field(default=None)

    @property
    def inside(self) -> bool:
        """Whether a here-document is open."""
        return self.opening is not None

    def feed(self, line: str) -> None:
        """Take the next line."""
        if self.opening is None:
            self.opening = read_opening(line)
        elif self.opening.ends_at(line):
            self.opening = None


def read_opening(line: str) -> Opening | None:
    """Return the here-document that a command line opens, if it does."""
    if "<<" not in line or len(line) > _LONGEST_COMMAND or line.lstrip().startswith("#"):
        return None
    found = _OPENING.search(line)
    if found is None:
        return None
    dash, single, double, backslash, plain = found.groups()
    command = line[: found.start()] + " " + line[found.end() :]
    path, append = _target(command)
    return Opening(single or double or plain, plain is None or bool(backslash), bool(dash), path, append)


def writes_file(line: str) -> bool:
    """Say whether a line opens a here-document that becomes a file."""
    opening = read_opening(line)
    return opening is not None and opening.path is not None


def read_heredocs(lines: Sequence[str]) -> tuple[Written, ...]:
    """Return the files that a script writes by here-documents, in order of their first writing.

    An unterminated one reaches to the end, as it does for a shell. Variables are left as they are.
    """
    written: dict[str, str] = {}
    opening: Opening | None = None
    body: list[str] = []
    for line in lines:
        if opening is None:
            opening, body = read_opening(line), []
        elif opening.ends_at(line):
            _write(written, opening, body)
            opening = None
        else:
            body.append(line.lstrip("\t") if opening.strip_tabs else line)
    if opening is not None:
        _write(written, opening, body)
    return tuple(Written(path, text) for path, text in written.items())


def _write(written: dict[str, str], opening: Opening, body: Sequence[str]) -> None:
    if opening.path is None:
        return
    text = "".join(line + "\n" for line in body)
    if not opening.quoted:
        text = _ESCAPED.sub(r"\1", text)
    written[opening.path] = written.get(opening.path, "") + text if opening.append else text


def _target(command: str) -> tuple[str | None, bool]:
    tee = _TEE.search(command)
    if tee is not None:
        return _unquoted(tee.group(2)), tee.group(1) is not None
    for redirect in _REDIRECT.finditer(command):
        path = _unquoted(redirect.group(2))
        if path not in _NO_FILES:
            return path, redirect.group(1) == ">>"
    return None, False


def _unquoted(word: str) -> str:
    return word[1:-1] if word[0] in "\"'" else word
