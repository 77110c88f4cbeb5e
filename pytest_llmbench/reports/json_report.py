"""The report as JSON: the form that other programs rely on."""

from __future__ import annotations

import msgspec

from pytest_llmbench.model.codec import encode
from pytest_llmbench.model.report import Report
from pytest_llmbench.reports.details import Details


def render(report: Report, _: Details) -> str:
    """Return the report, indented for readers."""
    return msgspec.json.format(encode(report), indent=2).decode() + "\n"
