"""`llmbench schema`: the forms that programs and editors rely on."""

from __future__ import annotations

import argparse

from pytest_llmbench.commands.command import EXIT_OK, Command, put
from pytest_llmbench.endpoints.schema import models_schema
from pytest_llmbench.reports.schema import report_schema

_SCHEMAS = {"report": report_schema, "models": models_schema}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", default="report", choices=sorted(_SCHEMAS), help="default: report")


def _run(given: argparse.Namespace) -> int:
    put(_SCHEMAS[given.name]())
    return EXIT_OK


COMMAND = Command(
    "schema",
    "print a JSON Schema",
    "Print the JSON Schema of report.json, or of models.yaml for your editor.",
    _add_arguments,
    _run,
)
