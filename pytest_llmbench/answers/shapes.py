"""What a file defines, binds and uses, as far as its lines tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from pytest_llmbench.answers.languages import language_of_path
from pytest_llmbench.answers.pylines import code_lines

_PY_DEFINES = re.compile(r"(?:async[ \t]+def|def|class)[ \t]+([A-Za-z_]\w*)")
_PY_ASSIGNS = re.compile(r"([A-Za-z_]\w*)[ \t]*(?:=(?!=)|:)")
_SH_DEFINES = re.compile(r"(?:function[ \t]+)?([A-Za-z_][\w-]*)[ \t]*\(\)|function[ \t]+([A-Za-z_][\w-]*)")
_IDENTIFIER = re.compile(r"(?<![\w.])[^\W\d]\w*")
_FIRST_IDENTIFIER = re.compile(r"[ \t]*\*{0,2}([^\W\d]\w*)[ \t]*(?:[:=,)]|$)")
_AFTER_AS = re.compile(r"\bas[ \t]+\(?([^\W\d]\w*)")
_WALRUS = re.compile(r"([^\W\d]\w*)[ \t]*:=")
_LONGEST_COMMAND = 200
_LOOP = re.compile(r"\bfor\b([^:=()]{1,200}?)\bin\b")


@dataclass(frozen=True, slots=True)
class Shape:
    """A file at a glance. Names are empty where the language is not known."""

    path: str
    lines: frozenset[str]
    """All lines, stripped."""
    size: int
    """Lines that are not blank."""
    defines: frozenset[str] = frozenset()
    """Functions and classes at the top level."""
    methods: frozenset[str] = frozenset()
    """Functions below the top level, those with one leading underscore aside."""
    binds: frozenset[str] = frozenset()
    """Names bound at the top level, imports included."""
    mentions: frozenset[str] = frozenset()
    """Names bound anywhere: generous, for a doubt is no proof."""
    uses: frozenset[str] = frozenset()
    """Names used anywhere, attributes aside."""
    imports: frozenset[str] = frozenset()
    """Modules imported at the top level."""

    @classmethod
    def of(cls, text: str, path: str) -> Shape:
        """Look at a file."""
        stripped = [line.strip() for line in text.split("\n")]
        reader = _READERS.get(language_of_path(path))
        shape = cls(path, frozenset(stripped), sum(1 for line in stripped if line))
        return reader(shape, text) if reader is not None else shape

    @property
    def public(self) -> frozenset[str]:
        """The definitions that others may use."""
        return frozenset(name for name in self.defines if not name.startswith("_"))

    @property
    def module(self) -> str:
        """The name by which Python code would import the file."""
        return PurePosixPath(self.path).stem

    def likeness(self, other: Shape) -> float:
        """Return the share of lines in common, from 0 to 1, of the smaller of both."""
        mine, others = self.lines - {""}, other.lines - {""}
        smaller = min(len(mine), len(others))
        return len(mine & others) / smaller if smaller else 0.0

    def relies_on(self, original: Shape) -> frozenset[str]:
        """Return what this text uses of the names that the original binds, without binding them itself."""
        if "*" in self.mentions:
            return frozenset()
        return (original.binds & self.uses) - self.mentions


def _python(shape: Shape, text: str) -> Shape:
    defines: set[str] = set()
    methods: set[str] = set()
    binds: set[str] = set()
    mentions: set[str] = set()
    uses: set[str] = set()
    imports: set[str] = set()
    in_import = False
    for _, code, inside in code_lines(text):
        words = _IDENTIFIER.findall(code)
        if not words:
            in_import = in_import and ")" not in code
            continue
        top = not inside and not code[:1].isspace()
        if in_import or words[0] in ("import", "from"):
            modules, names = _imported(code, continued=in_import)
            in_import = in_import or "(" in code
            in_import = in_import and ")" not in code
            mentions |= names
            binds |= names if top or code[:1].isspace() else set()
            imports |= modules if top else set()
            continue
        if top and (found := _PY_DEFINES.match(code)):
            defines.add(found.group(1))
            binds.add(found.group(1))
        elif top and (found := _PY_ASSIGNS.match(code)):
            binds.add(found.group(1))
        elif not top and not inside and (found := _PY_DEFINES.match(code.lstrip())):
            methods |= {found.group(1)} if _is_public_method(found.group(1)) else set()
        uses |= set(words)
        mentions |= _bound(code, words)
    return Shape(
        shape.path,
        shape.lines,
        shape.size,
        frozenset(defines),
        frozenset(methods),
        frozenset(binds),
        frozenset(mentions),
        frozenset(uses),
        frozenset(imports),
    )


def _is_public_method(name: str) -> bool:
    return name.startswith("__") or not name.startswith("_")


def _imported(code: str, *, continued: bool) -> tuple[set[str], set[str]]:
    """Return (modules, names bound) of a line of an import statement."""
    statement = code.replace("(", " ").replace(")", " ").replace("\\", " ").strip()
    modules: set[str] = set()
    if not continued and statement.startswith("from"):
        source, _, statement = statement.removeprefix("from").partition(" import")
        modules.add(source.strip())
    elif not continued:
        statement = statement.removeprefix("import")
        modules |= {part.split()[0] for part in statement.split(",") if part.split()}
    names = {part.split()[-1].partition(".")[0] for part in statement.split(",") if part.split()}
    return modules, names


def _bound(code: str, words: list[str]) -> set[str]:
    if words[0] in ("def", "class", "async", "lambda", "global", "nonlocal") or "lambda" in words:
        return set(words)
    names = {*_AFTER_AS.findall(code), *_WALRUS.findall(code)}
    if first := _FIRST_IDENTIFIER.match(code):
        names.add(first.group(1))
    left = code.partition("=")[0]
    if left != code and "(" not in left:
        names |= set(_IDENTIFIER.findall(left))
    for loop in _LOOP.findall(code):
        names |= set(_IDENTIFIER.findall(loop))
    return names


def _shell(shape: Shape, text: str) -> Shape:
    found = (_SH_DEFINES.match(line) for line in text.split("\n") if len(line) < _LONGEST_COMMAND)
    names = frozenset(match.group(1) or match.group(2) for match in found if match)
    return Shape(shape.path, shape.lines, shape.size, names, names)


_READERS = {"python": _python, "shell": _shell}
