"""The published schema of the report: `python -m pytest_llmbench.reports.schema` prints it."""

from __future__ import annotations

import json
import sys

from pytest_llmbench.model.codec import json_schema
from pytest_llmbench.model.report import SCHEMA, Report


def report_schema() -> str:
    """Return the JSON Schema as text."""
    about = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('/', ':')}",
        "title": f"pytest-llmbench report, {SCHEMA}",
    }
    return json.dumps(about | json_schema(Report), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(report_schema())
