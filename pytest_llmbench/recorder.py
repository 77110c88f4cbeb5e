"""The controller's side of a run: test reports -> checks -> journal, report and summary."""

from __future__ import annotations

import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from pytest_llmbench.model.check import Check, SandboxUse
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Report, RunInfo
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.nodeids import read_check_id
from pytest_llmbench.reports import FORMATS
from pytest_llmbench.reports.build import build_report
from pytest_llmbench.runfolder import RunFolder, write_whole

EVIDENCE_CHARS = 2_000


class Recorder:
    """Collects the checks of a run and writes what the run leaves behind."""

    def __init__(self, settings: Settings, began_s: float) -> None:
        """Begin; `began_s` is when the session began, on the monotonic clock."""
        self._settings = settings
        self._began_s = began_s
        self.folder = RunFolder(Path(settings.out))
        self.checks: list[Check] = []

    def add(self, report: pytest.TestReport) -> None:
        """Record the check that a test report ends, if it ends one."""
        check = _check_of(report, self._settings)
        if check is not None:
            self.checks.append(check)
            self.folder.append("check", check)

    def finish(self) -> Report:
        """Write report.json and every further copy asked for."""
        settings = self._settings
        run = RunInfo(
            id=settings.run_id,
            started_at=settings.started_at,
            duration_s=time.monotonic() - self._began_s,
            version=version("pytest-llmbench"),
            command=tuple(sys.argv),
            seed=settings.seed,
            host=_host(),
            sandbox=settings.sandbox,
        )
        report = build_report(run, settings.endpoints, self.folder.completions(), self.checks)
        self.folder.write("report.json", FORMATS["json"](report).encode())
        for target in settings.reports:
            write_whole(Path(target.path), FORMATS[target.format](report).encode())
        self.folder.tidy()
        return report


def _check_of(report: pytest.TestReport, settings: Settings) -> Check | None:
    known: dict[str, Any] = dict(report.user_properties)
    if report.when == "teardown":
        return None
    if "outcome" not in known:
        return _crashed(report, settings) if report.failed else None
    sandbox = SandboxUse(known["sandbox"], tuple(known["limits"].split())) if "sandbox" in known else None
    return Check(
        endpoint=known["endpoint"],
        suite=known["suite"],
        check=known["check"],
        sample=known["sample"],
        outcome=Outcome(known["outcome"]),
        evidence=_evidence(report),
        duration_s=report.duration,
        nodeid=report.nodeid,
        sandbox=sandbox,
        log=known.get("log"),
    )


def _crashed(report: pytest.TestReport, settings: Settings) -> Check | None:
    """A worker died under a check: all that is left is the test id."""
    known = read_check_id(report.nodeid, {endpoint.name for endpoint in settings.endpoints})
    if known is None:
        return None
    return Check(
        **known.key._asdict(),
        check=known.check,
        outcome=Outcome.GRADER_ERROR,
        evidence=_evidence(report),
        duration_s=report.duration,
        nodeid=report.nodeid,
    )


def _evidence(report: pytest.TestReport) -> str | None:
    if report.passed:
        return None
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash is not None else report.longrepr)[:EVIDENCE_CHARS]


def _host() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }
