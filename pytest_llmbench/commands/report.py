"""`llmbench report`: any format, of one past run or of several beside each other."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from pytest_llmbench.commands.command import EXIT_OK, STDOUT, Command, put, remark, typed
from pytest_llmbench.errors import UsageFault
from pytest_llmbench.pastruns import read_run
from pytest_llmbench.reports import FORMATS
from pytest_llmbench.reports.merge import merge
from pytest_llmbench.runfolder import REPORT_FILE
from pytest_llmbench.wholefiles import write_as_typed


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="FORMAT[:PATH]", help=f"{', '.join(FORMATS)}; no PATH: to standard output")
    parser.add_argument("runs", metavar="RUN", nargs="+", help="run folder, or a report.json")


def _run(given: argparse.Namespace) -> int:
    kind, _, path = given.target.partition(":")
    if kind not in FORMATS:
        raise UsageFault(f"{given.target}: wanted FORMAT or FORMAT:PATH with FORMAT one of: {', '.join(FORMATS)}")
    _spare(path, given.runs)
    runs = [read_run(run) for run in given.runs]
    merged = merge([(run.report, run.details) for run in runs])
    cut_off = [
        f"{run.folder}: was cut off, or is not over yet: this is what it has found" for run in runs if not run.is_whole
    ]
    for line in (*cut_off, *merged.remarks):
        remark(COMMAND.name, line)
    text = FORMATS[kind](merged.report, merged.details)
    if path in {"", STDOUT}:
        put(text)
    else:
        write_as_typed(typed(path), text.encode())
    return EXIT_OK


def _spare(path: str, runs: Sequence[str]) -> None:
    """Refuse to write over a report that is read: what several runs come to is no run's own."""
    if path and typed(path).resolve() in {
        place.resolve() for run in runs for place in (typed(run), typed(run) / REPORT_FILE)
    }:
        raise UsageFault(f"{path}: is one of the reports to read; name another file")


COMMAND = Command(
    "report",
    "write a report of one run, or of several beside each other",
    "Write a report of one run, or of several runs beside each other.",
    _add_arguments,
    _run,
)
