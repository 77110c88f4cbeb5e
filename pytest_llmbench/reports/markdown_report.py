"""The report as Markdown, for pull requests, chats and job summaries: the verdict first, then who is how good."""

from __future__ import annotations

from collections import Counter

from pytest_llmbench.model.report import Report
from pytest_llmbench.reports.details import Details
from pytest_llmbench.reports.leaderboard import leaderboard
from pytest_llmbench.reports.markdown_gate import comparisons_section, verdict_section
from pytest_llmbench.reports.markdown_speed import speed_section
from pytest_llmbench.reports.markdown_tables import (
    failed_section,
    failures_section,
    leaderboard_section,
    winners_section,
)
from pytest_llmbench.reports.markdown_text import code


def render(report: Report, details: Details) -> str:  # noqa: ARG001 - every format's signature
    """Return GitHub-flavoured Markdown without any HTML in it."""
    board = leaderboard(report)
    lines = [
        "# LLM benchmark",
        "",
        *verdict_section(report.gate),
        *_warnings(report),
        *comparisons_section(report.gate),
        *leaderboard_section(report, board),
        *failed_section(board),
        *winners_section(report, board),
        *failures_section(report),
        *speed_section(report.speed),
        *_about(report),
    ]
    return "\n".join(lines) + "\n"


def _warnings(report: Report) -> list[str]:
    lines = []
    if report.run.sandbox == "none":
        lines.append("- **No sandbox**: the models' code ran with the user's own rights (`--llm-sandbox=none`).")
    versions = Counter(row.name for row in report.suites)
    lines += [
        f"- **Not comparable**: {code(suite)} is there in {count} versions."
        for suite, count in versions.items()
        if count > 1
    ]
    return [*lines, *([""] if lines else [])]


def _about(report: Report) -> list[str]:
    run = report.run
    minutes, seconds = divmod(round(run.duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    seed = "different seeds" if run.seed is None else f"seed {run.seed}"
    return [
        "## About this run",
        "",
        f"- Run {code(run.id)}, begun {code(run.started_at)}, took {hours}:{minutes:02}:{seconds:02}.",
        f"- pytest-llmbench {code(run.version)}, {seed}, sandbox {code(run.sandbox)}.",
        f"- Command: {code(' '.join(run.command), limit=1000)}",
    ]
