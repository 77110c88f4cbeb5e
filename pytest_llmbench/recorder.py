"""The controller's side of a run: test reports -> checks -> journal, report and summary."""

from __future__ import annotations

import errno
import os
import platform
import tempfile
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import Report, RunInfo
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.reports import FORMATS
from pytest_llmbench.reports.build import build_report
from pytest_llmbench.runfolder import RunFolder, write_whole


class Recorder:
    """Collects the checks of a run and writes what the run leaves behind."""

    def __init__(self, settings: Settings, command: tuple[str, ...], began_s: float) -> None:
        """Begin; `began_s` is when the session began, on the monotonic clock."""
        self._settings = settings
        self._command = command
        self._began_s = began_s
        self._checks: dict[str, Check] = {}
        self._speed: dict[str, tuple[SpeedRow, ...]] = {}
        self.folder = RunFolder(Path(settings.out))
        self._holder = self.folder.begin()
        for target in settings.reports:
            _try_out(Path(target.path))

    def add(self, check: Check) -> None:
        """Record a check; of one that ran more than once the last result counts."""
        self._checks[check.nodeid] = check
        self.folder.append("check", check)

    def add_speed(self, nodeid: str, rows: tuple[SpeedRow, ...]) -> None:
        """Record what a test measured; of one that ran more than once the last result counts."""
        self._speed[nodeid] = rows
        for row in rows:
            self.folder.append("speed", row)

    def finish(self, served: Mapping[str, Endpoint]) -> Report:
        """Write report.json and every further copy asked for.

        Args:
            served: endpoints, by name, of which more is known now than when the run began.
        """
        settings = self._settings
        run = RunInfo(
            id=settings.run_id,
            started_at=settings.started_at,
            duration_s=time.monotonic() - self._began_s,
            version=version("pytest-llmbench"),
            command=self._command,
            seed=settings.seed,
            host=_host(),
            sandbox=settings.sandbox,
        )
        report = build_report(
            run,
            [served.get(one.name, one) for one in settings.endpoints],
            self.folder.completions(),
            list(self._checks.values()),
            [row for rows in self._speed.values() for row in rows],
        )
        self.folder.write("report.json", FORMATS["json"](report).encode())
        for target in settings.reports:
            write_whole(Path(target.path), FORMATS[target.format](report).encode())
        self.folder.tidy()
        self._holder.close()
        return report


def _try_out(path: Path) -> None:
    """Find out before the run, not after it, that a report cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise UsageFault(f"--llm-report: cannot write {path}: {error.strerror}; name another place") from error


def _host() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }
