"""Records to JSON and back, and their JSON Schema; the only module that knows how."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import is_dataclass
from itertools import pairwise
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

T = TypeVar("T")

_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}
_MAKING = threading.Lock()


def encode(record: Any) -> bytes:
    """Return one line of JSON, keys in the order of the record.

    What JSON cannot say is put in the nearest way: NaN and infinities as null, half a surrogate pair as U+FFFD.
    """
    try:
        return msgspec.json.encode(record)
    except UnicodeEncodeError:
        # Seen in file names and argv, and in what a model cut in the middle of a character; no reason to lose a report.
        return msgspec.json.encode(_sound(msgspec.to_builtins(record)))


def decode(data: bytes, kind: type[T]) -> T:
    """Read one record; fields that `kind` does not know are passed over.

    Raises:
        ValueError: it is not JSON, or not such a record; the message says where.
    """
    try:
        return _decoder(kind).decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error  # in msgspec 0.19 it is none


def json_schema(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a record; the docstring below a field becomes its description."""
    schema = msgspec.json.schema(kind)
    for record in set(_records(kind)):
        properties = schema["$defs"][record.__name__]["properties"]
        for name, text in _docstrings(record).items():
            properties[name].setdefault("description", text)
    return schema


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Make it once.

    What msgspec learns of a class it keeps with the class from the beginning, so that a second thread would take up half of it,
    and the process would die.
    """
    if kind not in _DECODERS:
        with _MAKING:
            if kind not in _DECODERS:
                _DECODERS[kind] = msgspec.json.Decoder(kind)
    return _DECODERS[kind]


def _sound(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_sound(key): _sound(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_sound(inner) for inner in value]
        case _:
            return value


def _records(kind: Any) -> Iterator[type]:
    """Find the dataclasses that a type is made of."""
    if isinstance(kind, type) and is_dataclass(kind):
        yield kind
        inner = list(get_type_hints(kind).values())
    else:
        inner = list(get_args(kind))
    for part in inner:
        yield from _records(part)


def _docstrings(record: type) -> dict[str, str]:
    """Read the texts below the fields of a class; Python itself does not keep them."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(record))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101 - for the type checker; that is what a class's source is
    found = {}
    for statement, following in pairwise(definition.body):
        match statement, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = re.sub(r"\bNone\b", "null", " ".join(text.split()))
    return found
