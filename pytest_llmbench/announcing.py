"""What the user reads of a run on the terminal, before its first test and after its last."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.disclosure import without_secrets
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import Report
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.options import value_of
from pytest_llmbench.provenance import replayed_words, resumed_line
from pytest_llmbench.reports.markdown_text import visible
from pytest_llmbench.reports.terminal import summary_lines

if TYPE_CHECKING:
    from pytest_llmbench.run import Run


def header_lines(run: Run) -> list[str]:
    """Say whom a run asks, and what is there of one that is gone on with."""
    settings = run.settings
    if not value_of(run.config, "endpoint") and settings.session == 1:
        return ["llmbench: no --llm-endpoint given: judging the reference answers bundled with the suites"]
    lines = [f"llmbench: {resumed_line(settings)}"] if settings.session > 1 else []
    shown = (without_secrets(endpoint, os.environ) for endpoint in settings.endpoints)
    # Servers say what their models are called, and why they cannot be asked: on one line, without what steers a terminal.
    return lines + [
        visible(f"llmbench: endpoint {one.name}: {_whereabouts(one)}" + (f" ({one.model})" if one.model else ""))
        for one in shown
    ]


def show_found(
    terminal: pytest.TerminalReporter,
    settings: Settings,
    report: Report,
    baseline: Report | None,
    origins: Sequence[str],
) -> None:
    """Show what a run found and where it lies.

    Args:
        terminal: where to.
        settings: of the run.
        report: what it found.
        baseline: what an earlier run had found; None if there is none.
        origins: where answers come from that were not asked for now; see `provenance`.
    """
    terminal.section("llmbench")
    found = summary_lines(
        report,
        run_folder=settings.out,
        width=shutil.get_terminal_size().columns,
        baseline=baseline,
        baseline_folder=str(Path(settings.baseline).parent) if settings.baseline else None,
    )
    for line in (*origins, *found):
        terminal.write_line(line)


def _whereabouts(endpoint: Endpoint) -> str:
    if endpoint.serve is not None:
        return f"{endpoint.serve.kind} {endpoint.serve.model or ''}, to be started".replace(" ,", ",")
    if endpoint.replay:
        return replayed_words(endpoint.replay)
    return str(endpoint.problem or endpoint.url or "the reference answers bundled with the suites")
