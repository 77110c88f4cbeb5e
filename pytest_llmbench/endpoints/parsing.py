"""YAML text to a tree, with the faults that YAML itself passes over."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import yaml

from pytest_llmbench.endpoints.tree import Items, Place, Scalar, Table, Tree
from pytest_llmbench.errors import UsageFault

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_LARGEST_INT = 2**64 - 1
_SMALLEST_INT = -(2**63)
_DEEPEST = 50
_MOST_VALUES = 100_000
"""Aliases of aliases are copied, and can fill any memory."""


class _Loader(yaml.SafeLoader):
    """Plain words as editors read them (YAML 1.2), but for `yes`, `no`, `on`, `off`.

    By YAML 1.1, PyYAML's own, `12:30` is 750, `1e-5` a text, and `2026-11-21` a date, which JSON does not know.
    """


_PLAIN: tuple[tuple[str, str, str], ...] = (
    ("bool", r"(?i:yes|no|true|false|on|off)", "yYnNtTfFoO"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+", "-+0123456789"),
    ("float", r"[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)", "-+.0123456789"),
    ("null", r"(?:~|null|Null|NULL)?", "~nN"),
    ("merge", r"<<", "<"),
)
"""Tag, pattern, characters that it can begin with."""

_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in _PLAIN:
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(rf"(?:{_pattern})\Z"), [*_first, ""])

_VALUES: Mapping[str, Callable[[str], str | int | float | bool | None]] = {
    "str": str,
    "bool": lambda text: text.lower() in ("yes", "true", "on"),
    "int": lambda text: int(text, 0),
    "float": float,
    "null": lambda _: None,
}


def parse_yaml(data: bytes, file: str) -> Tree:
    """Read a YAML file.

    Args:
        data: its bytes, UTF-8.
        file: its name, for messages.

    Raises:
        UsageFault: it is not YAML, has a key twice, or holds what JSON cannot; one line, with the line's number.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Place(file, line).fault("not UTF-8; save the file as UTF-8") from error
    try:
        node = yaml.compose(text, _Loader)
        return Scalar(Place(file, 1), None, "") if node is None else _Builder().build(node, Place(file, 1))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise Place(file, mark.line + 1 if mark else 1).fault(f"not YAML: {problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Place(file, line).fault(f"not YAML: {error.reason}") from error
    except RecursionError as error:
        raise UsageFault(f"{file}: nested too deeply") from error


class _Builder:
    """Nodes of PyYAML to our tree; aliases are copied, `<<` is filled in."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._built = 0

    def build(self, node: yaml.Node, place: Place) -> Tree:
        """Return the tree of one node."""
        self._built += 1
        if self._built > _MOST_VALUES or len(place.path) > _DEEPEST:
            raise place.fault(f"wanted at most {_MOST_VALUES} values, {_DEEPEST} deep; got more")
        match node:
            case yaml.MappingNode():
                return self._table(node, place)
            case yaml.SequenceNode():
                with self._inside(node, place):
                    lines = ((item, item.start_mark.line + 1) for item in node.value)
                    return Items(
                        place,
                        tuple(self.build(item, place.below(f"[{at}]", line)) for at, (item, line) in enumerate(lines)),
                    )
            case _:
                return _scalar(node, place)

    def _table(self, node: yaml.MappingNode, place: Place) -> Table:
        with self._inside(node, place):
            own: dict[str, Tree] = {}
            inherited: dict[str, Tree] = {}
            merged_at: int | None = None
            for key_node, value_node in node.value:
                line = key_node.start_mark.line + 1
                if key_node.tag == _MERGE:
                    if merged_at is not None:
                        raise place.below("<<", line).fault(f"already at line {merged_at}; use one <<: [*a, *b]")
                    merged_at = line
                    for source in self._sources(value_node, place.below("<<", line)):
                        inherited = {**self._table(source, place).entries, **inherited}
                    continue
                key = _key(key_node, place)
                inner = place.below(key, line)
                if key in own:
                    raise inner.fault(f"already at line {own[key].place.line}; a key can stand only once")
                own[key] = self.build(value_node, inner)
            return Table(place, {**inherited, **own})

    @staticmethod
    def _sources(node: yaml.Node, place: Place) -> Iterator[yaml.MappingNode]:
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(source, yaml.MappingNode):
                raise place.fault("wanted a mapping or a list of mappings, such as *anchor")
            yield source

    @contextmanager
    def _inside(self, node: yaml.Node, place: Place) -> Iterator[None]:
        if id(node) in self._open:
            raise place.fault("an alias that holds itself")
        self._open.add(id(node))
        yield
        self._open.remove(id(node))


def _key(node: yaml.Node, place: Place) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise place.below("?", node.start_mark.line + 1).fault("wanted a text as key, got a list or a mapping")
    return str(node.value)


def _scalar(node: yaml.Node, place: Place) -> Scalar:
    text = str(node.value)
    convert = _VALUES.get(node.tag.removeprefix(_TAG))
    if convert is None:
        raise place.fault(f"the tag {node.tag.replace(_TAG, '!!')} is not known here; leave it out")
    try:
        value = convert(text)
    except ValueError as error:
        raise place.fault(f"{text[:40]!r} is no {node.tag.replace(_TAG, '!!')}") from error
    if isinstance(value, float) and not math.isfinite(value):
        raise place.fault(f"{text[:40]} is no finite number")
    if isinstance(value, int) and not _SMALLEST_INT <= value <= _LARGEST_INT:
        raise place.fault(f"{text[:40]} does not fit into 64 bits")
    if "\0" in text:
        raise place.fault("holds a NUL character, which nothing here can")
    return Scalar(place, value, text)
