"""The published schema of models.yaml, for editors: `python -m pytest_llmbench.endpoints.schema` prints it."""

from __future__ import annotations

import json
import sys

import msgspec

from pytest_llmbench.endpoints.shape import FileConfig
from pytest_llmbench.servers.registry import kinds


def models_schema() -> str:
    """Return the JSON Schema as text."""
    # The draft that every editor's YAML support knows; what is used of JSON Schema is the same in later ones.
    about = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "models.yaml of pytest-llmbench"}
    schema = msgspec.json.schema(FileConfig)
    records = schema["$defs"]
    records["FileConfig"]["patternProperties"] = {"^x-": {"description": "passed over; a place for anchors"}}
    # Examples, no enum: others may add kinds.
    for record in ("ServeConfig", "EndpointConfig", "EntryConfig"):
        records[record]["properties"]["kind"]["examples"] = sorted(kinds())
    return json.dumps(about | schema, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(models_schema())
