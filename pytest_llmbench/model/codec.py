"""Records to JSON and back, and their JSON Schema; the only module that knows how."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def encode(record: Any) -> bytes:
    """Return one line of JSON, keys in the order of the record; NaN and infinities become null."""
    return msgspec.json.encode(record)


def decode(data: bytes, kind: type[T]) -> T:
    """Read one record; fields that `kind` does not know are passed over.

    Raises:
        ValueError: it is not JSON, or not such a record; the message says where.
    """
    return msgspec.json.decode(data, type=kind)


def json_schema(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a record."""
    return msgspec.json.schema(kind)
