"""The rows of speed, separated by commas."""

from __future__ import annotations

from pytest_llmbench.model.report import Report
from pytest_llmbench.reports.delimited import delimited


def render(report: Report) -> str:
    """Return a line for each figure of each row."""
    return delimited(report.speed, ",")
