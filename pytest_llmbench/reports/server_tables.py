"""Servers as tables: those that did not serve and why, and those that did, with what they say of themselves."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from pytest_llmbench.model.endpoint import ServerInfo
from pytest_llmbench.model.report import CompletionRow, EndpointRow, Report
from pytest_llmbench.reports.tables import Column, column, lay_out, text_column

MISSING = "-"
MAX_LINE = 300
GIB = 2**30


def failure_lines(endpoints: Sequence[EndpointRow], width: int) -> list[str]:
    """Return the table of servers that did not serve, or not to the end, what their logs say, what to do, and where the logs lie.

    Args:
        endpoints: all of a report.
        width: columns of the terminal; the table keeps to it, sentences do not.
    """
    failed = [(row.name, row.server.failure) for row in endpoints if row.server.failure is not None]
    if not failed:
        return []
    columns = [
        text_column("cause", [failure.cause for _, failure in failed]),
        text_column("what happened", [failure.phase for _, failure in failed]),
        column("after s", [_rounded(failure.after_s, 1) for _, failure in failed]),
    ]
    lines = lay_out(["failed server", *(name for name, _ in failed)], [columns], width)
    for name, failure in failed:
        ended = f"{failure.ended}: " if failure.ended and failure.line else failure.ended or ""
        log = f"log: {failure.log}" if failure.log else ""
        told = (_cut(ended + (failure.line or "")), failure.advice, log)
        lines += [f"{name}: {remark}" for remark in told if remark]
    return [*lines, ""]


def server_lines(report: Report, width: int) -> list[str]:
    """Return a table of what is known of servers that were up; nothing where nothing is known.

    `own tok/s` and `own TTFT s` are medians of the server's own figures, `client` those of the client's decode rate
    against them.
    """
    shown = [row for row in report.endpoints if _is_known(row.server)]
    if not shown:
        return []
    answers = [[one for one in report.completions if one.endpoint == row.name] for row in shown]
    about = [
        text_column("server", [row.server.kind or MISSING for row in shown]),
        text_column("version", [row.server.version or row.server.build or MISSING for row in shown]),
        column("load s", [_rounded(row.server.load_s, 1) for row in shown]),
        column("peak GiB", [_gib(row.server.memory_peak_bytes) for row in shown]),
    ]
    own = [
        column("own tok/s", [_median(_own(rows, "decode_tok_s"), "{:.1f}") for rows in answers]),
        column("client", [_median(_own(rows, "decode_difference"), "{:+.1%}") for rows in answers]),
        column("own TTFT s", [_median(_own(rows, "ttft_s"), "{:.3f}") for rows in answers]),
    ]
    groups = [told for group in (about, own) if (told := [each for each in group if _tells(each)])]
    return [*lay_out(["endpoint", *(row.name for row in shown)], groups, width), ""]


def _tells(column: Column) -> bool:
    return any(cell.strip() != MISSING for cell in column[1:])


def _is_known(server: ServerInfo) -> bool:
    return any((server.version, server.build, server.load_s, server.memory_peak_bytes))


def _own(rows: Iterable[CompletionRow], name: str) -> list[float]:
    figures = (getattr(row.server, name) for row in rows if row.server is not None)
    return [figure for figure in figures if figure is not None]


def _median(figures: Sequence[float], form: str) -> str:
    return form.format(statistics.median(figures)) if figures else MISSING


def _gib(size_bytes: int | None) -> str:
    return MISSING if size_bytes is None else f"{size_bytes / GIB:.2f}"


def _rounded(figure: float | None, digits: int) -> str:
    return MISSING if figure is None else f"{figure:.{digits}f}"


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 1]}…"
