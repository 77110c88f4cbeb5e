"""The rows of speed, separated by tabs."""

from __future__ import annotations

from pytest_llmbench.model.report import Report
from pytest_llmbench.reports.delimited import delimited
from pytest_llmbench.reports.details import Details


def render(report: Report, _: Details) -> str:
    """Return a line for each figure of each row."""
    return delimited(report.speed, "\t")
