"""A tree into the records of `shape`; what does not fit is told with its line."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from pytest_llmbench.endpoints.shape import VariableName, Word
from pytest_llmbench.endpoints.tree import Items, Place, Scalar, Table, Tree, is_nothing, plain

Record = TypeVar("Record", bound=msgspec.Struct)

_SHOWN_CHARS = 60
_NOUNS: Mapping[str, str] = {
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_LIMITS: Mapping[str, str] = {
    "minimum": "of at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
}


def read(table: Table, wanted: type[Record]) -> Record:
    """Read a mapping as a record; a key with nothing behind it is as good as absent.

    Raises:
        UsageFault: an unknown key or a value of another type; one line, with its place.
    """
    known = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    values: dict[str, Any] = {}
    for key, inner in table.entries.items():
        if key not in known:
            raise inner.place.fault(f"unknown key; {_advice(inner.place, wanted)}")
        if is_nothing(inner):
            continue
        values[known[key].name] = _value(inner, known[key].type)
    return wanted(**values)


def _value(tree: Tree, wanted: Any) -> Any:
    for member in _members(wanted):
        kind = get_origin(member) or member
        match tree:
            case Table() if _is_record(kind):
                return read(tree, kind)
            case Table() if kind is dict:
                inner = get_args(member)[1]
                return {key: _value(value, inner) for key, value in tree.entries.items()}
            case Items() if kind is tuple:
                inner = get_args(member)[0]
                return tuple(_value(item, inner) for item in tree.items)
            case Scalar(value=value, text=text) if member == Word and value is not None:
                return text
    try:
        return msgspec.convert(plain(tree), wanted)
    except msgspec.ValidationError as error:
        got = "something else" if isinstance(plain(tree), str) and _may_hold_secret(wanted) else _shown(tree)
        raise tree.place.fault(f"wanted {_described(wanted)}, got {got}") from error


def _members(wanted: Any) -> Iterator[Any]:
    """Take a type apart: unions, and what only annotates them."""
    if wanted in (Word, VariableName):
        yield wanted
    elif get_origin(wanted) is Annotated:
        yield from _members(get_args(wanted)[0])
    elif get_origin(wanted) in (Union, types.UnionType):
        for member in get_args(wanted):
            yield from _members(member)
    else:
        yield wanted


def _may_hold_secret(wanted: Any) -> bool:
    """Where a variable's name belongs the key itself may stand; where a mapping does, `NAME=value` or a command line."""
    members = tuple(_members(wanted))
    return VariableName in members or any(_is_mapping(get_origin(member) or member) for member in members)


def _is_mapping(kind: Any) -> bool:
    return kind is dict or _is_record(kind)


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _advice(place: Place, wanted: type[msgspec.Struct]) -> str:
    *above, key = place.path
    names = {field.encode_name: field.encode_name for field in msgspec.structs.fields(wanted)}
    inside = {
        inner.encode_name: f"{field.encode_name}.{inner.encode_name}"
        for field in msgspec.structs.fields(wanted)
        for member in _members(field.type)
        if _is_record(member)
        for inner in msgspec.structs.fields(member)
        if above  # what is missing at the top is no part of `defaults`
    }
    if close := get_close_matches(key, names, n=1) or get_close_matches(key, inside, n=1, cutoff=0.8):
        return f"did you mean {(inside | names)[close[0]]!r}?"
    return f"wanted one of {', '.join(names)}"


def _described(wanted: Any) -> str:
    schema = msgspec.json.schema(wanted)
    return " or ".join(dict.fromkeys(_nouns(schema)))


def _nouns(schema: Mapping[str, Any]) -> Iterator[str]:
    if "title" in schema:
        yield schema["title"]
    elif "anyOf" in schema:
        for part in schema["anyOf"]:
            yield from _nouns(part)
    elif schema.get("type") != "null":
        limits = [text.format(schema[limit]) for limit, text in _LIMITS.items() if limit in schema]
        yield " ".join([_NOUNS[schema.get("type", "object")], " and ".join(limits)]).strip()


def _shown(tree: Tree) -> str:
    match tree:
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=str(text)):
            return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…")
        case Scalar():
            return tree.text
        case Items():
            return "a list"
        case Table():
            return "a mapping"
