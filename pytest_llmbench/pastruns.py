"""Runs that are over: a folder, or a report.json alone -> its report, and the texts behind it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.codec import decode
from pytest_llmbench.model.report import Report, RunInfo
from pytest_llmbench.reports.build import build_report
from pytest_llmbench.reports.details import NO_DETAILS, Details
from pytest_llmbench.rundetails import RunDetails
from pytest_llmbench.runfolder import REPORT_FILE, RunFolder


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that is over, or was cut off."""

    report: Report
    details: Details
    folder: str | None
    """Of the run, as the user typed it; None if only the report is at hand."""
    is_whole: bool = True
    """Whether it came to its end; of one that did not, the report is what its journal holds."""


def read_run(given: str) -> PastRun:
    """Read a run by what the user typed: its folder, or a report wherever it was copied to.

    Raises:
        UsageFault: there is none.
    """
    path = Path(os.path.expanduser(given))  # noqa: PTH111 - takes `~nobody` as it is
    file = path / REPORT_FILE if path.is_dir() else path
    wanted = "wanted a run folder or its report.json"
    try:
        report = decode(file.read_bytes(), Report)
    except FileNotFoundError as error:
        if (found := _cut_off(path)) is not None:
            return PastRun(found, RunDetails(path), str(path), is_whole=False)
        missing = f"no {REPORT_FILE} in that folder" if path.is_dir() else "there is no such file or folder"
        raise UsageFault(f"{given}: {missing}; {wanted}") from error
    except OSError as error:
        raise UsageFault(f"{given}: {error.strerror}; {wanted}") from error
    except ValueError as error:
        raise UsageFault(f"{given}: is no report of ours: {error}; {wanted}") from error
    # A report that was copied out of its folder has no texts beside it.
    if not (file.parent / "completions").is_dir():
        return PastRun(report, NO_DETAILS, None)
    return PastRun(report, RunDetails(file.parent), str(file.parent))


def _cut_off(path: Path) -> Report | None:
    """Lay out what a run had found when it was cut off, or has found so far; None if there is no such run."""
    folder = RunFolder(path)
    record = folder.run_record()
    if record is None or not folder.journal.path.is_file():
        return None
    settings, session = record.settings, record.sessions[-1]
    began_s = datetime.fromisoformat(session.started_at).timestamp()
    run = RunInfo(
        id=settings.run_id,
        started_at=settings.started_at,
        duration_s=max(0.0, folder.journal.path.stat().st_mtime - began_s),
        version=session.version,
        command=session.command,
        seed=settings.seed,
        host={},
        sandbox=settings.sandbox,
    )
    names = {endpoint.name for endpoint in settings.endpoints}
    return build_report(
        run,
        settings.endpoints,
        folder.completions(),
        [check for check in folder.checks().values() if check.endpoint in names],
        [row for rows in folder.journal.speed().values() for row in rows if row.endpoint in names],
        suites=folder.suites(),
    )
