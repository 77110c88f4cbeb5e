"""The report as one HTML file that opens offline: ranking, heat map, charts, and all that was asked, answered and seen."""

from __future__ import annotations

from markupsafe import Markup

from pytest_llmbench.model.endpoint import ServerInfo
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import EndpointRow, Report
from pytest_llmbench.reports.details import Details
from pytest_llmbench.reports.differences import differences
from pytest_llmbench.reports.evidence import first_line
from pytest_llmbench.reports.headline import DISTRUSTED, Source
from pytest_llmbench.reports.html.answers import SYMBOLS, answers
from pytest_llmbench.reports.html.charts import MARKED, charts
from pytest_llmbench.reports.html.heatmap import heatmap
from pytest_llmbench.reports.html.links import check_link, filter_link
from pytest_llmbench.reports.html.packing import LIMITS, to_json
from pytest_llmbench.reports.html.page import page
from pytest_llmbench.reports.leaderboard import leaderboard
from pytest_llmbench.reports.speed_tables import deviation
from pytest_llmbench.reports.winners import winners

VERDICTS = {
    "met": ("✓", "The bar is met"),
    "not_met": ("✗", "The bar is not met"),
    "inconclusive": ("?", "Inconclusive: these answers cannot tell"),
}


def render(report: Report, details: Details) -> str:
    """Return the page.

    Args:
        report: one run, or several merged.
        details: the texts behind it; what it does not know is left out, and the page says so.
    """
    found = answers(report, details)
    board = leaderboard(report)
    return page(
        {
            "report": report,
            "verdict": VERDICTS.get(report.gate.verdict or ""),
            "board": board,
            "winners": winners(report, board),
            "samples": max((len(one.total.pass_at_k) for one in board.standings), default=1),
            "judged": {one.name for one in board.standings},
            "heat": heatmap(report),
            "symbols": SYMBOLS,
            "outcomes": tuple(Outcome),
            "charts": charts(report.speed),
            "marked": MARKED,
            "differences": _differences(report.endpoints),
            "servers": [(row.name, row.server) for row in report.endpoints if _is_known(row.server)],
            "samples_of": {(row.endpoint, row.transcript): row.sample for row in report.completions},
            "first_line": first_line,
            "check_link": check_link,
            "filter_link": filter_link,
            "deviation": deviation,
            "together": Source.TOGETHER,
            "distrusted": DISTRUSTED,
            "cut_at": found.limit if found.limit < LIMITS[0] else None,
            "index": Markup(to_json(found.index)),  # noqa: S704 - it has no character that means anything in HTML
            "blocks": [Markup(block) for block in found.pack.blocks],  # noqa: S704 - base64
        }
    )


def _differences(endpoints: tuple[EndpointRow, ...]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return in what each endpoint is not the same as the first one."""
    return [(endpoints[0].name, row.name, differences(endpoints[0], row)) for row in endpoints[1:]]


def _is_known(server: ServerInfo) -> bool:
    return any((server.kind, server.version, server.build, server.model, server.load_s, server.memory_peak_bytes))
