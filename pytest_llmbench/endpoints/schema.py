"""The published schema of models.yaml, for editors: `python -m pytest_llmbench.endpoints.schema` prints it."""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from pytest_llmbench.endpoints.shape import FileConfig
from pytest_llmbench.servers.registry import kinds

_NULL = {"type": "null"}


def models_schema() -> str:
    """Return the JSON Schema as text."""
    # The draft that every editor's YAML support knows; what is used of JSON Schema is the same in later ones.
    about = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "models.yaml of pytest-llmbench"}
    schema = msgspec.json.schema(FileConfig)
    records = schema["$defs"]
    for record in records.values():
        record["properties"] = {key: _or_nothing(wanted) for key, wanted in record["properties"].items()}
    records["FileConfig"]["patternProperties"] = {"^x-": {"description": "passed over; a place for anchors"}}
    # Examples, no enum: others may add kinds.
    for name in ("ServeConfig", "EndpointConfig", "EntryConfig"):
        records[name]["properties"]["kind"]["examples"] = sorted(kinds())
    return json.dumps(about | schema, indent=2) + "\n"


def _or_nothing(wanted: dict[str, Any]) -> dict[str, Any]:
    """Let null stand behind a key, which says the same as its absence."""
    if "type" in wanted:
        return wanted | {"type": [wanted["type"], "null"]}
    described = dict(wanted)
    choices = described.pop("anyOf", None) or [{"$ref": described.pop("$ref")}]
    return described | {"anyOf": choices if _NULL in choices else [*choices, _NULL]}


if __name__ == "__main__":
    sys.stdout.write(models_schema())
