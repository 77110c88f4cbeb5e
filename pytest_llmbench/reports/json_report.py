"""The report as JSON: the form that other programs rely on."""

from __future__ import annotations

import msgspec

from pytest_llmbench.model.codec import encode
from pytest_llmbench.model.report import Report


def render(report: Report) -> str:
    """Return the report, indented for readers."""
    return msgspec.json.format(encode(report), indent=2).decode() + "\n"
