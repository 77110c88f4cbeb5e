"""The controller's side of a run: test reports -> checks -> journal, report and summary."""

from __future__ import annotations

import errno
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pytest_llmbench.disclosure import without_secrets
from pytest_llmbench.errors import UsageFault
from pytest_llmbench.journal import check_key
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import Report, RunInfo
from pytest_llmbench.model.runrecord import RUN_SCHEMA, RunRecord, Session
from pytest_llmbench.model.settings import ReportTarget, Settings
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.provenance import origin_lines
from pytest_llmbench.reports import FORMATS
from pytest_llmbench.reports.build import Judge, build_report
from pytest_llmbench.rundetails import RunDetails
from pytest_llmbench.runfolder import REPORT_FILE, RunFolder
from pytest_llmbench.takeover import take, told_if_unwritable
from pytest_llmbench.wholefiles import write_as_typed


class Recorder:
    """Collects the checks of a run and writes what the run leaves behind."""

    def __init__(self, settings: Settings, command: tuple[str, ...], began_s: float) -> None:
        """Begin; `began_s` is when the session began, on the monotonic clock."""
        self._settings = settings
        self._command = command
        self._began_s = began_s
        self._checks: dict[tuple[CaseKey, str], Check] = {}
        self._speed: dict[str, tuple[SpeedRow, ...]] = {}
        for target in settings.reports:
            _try_out(Path(target.path))
        self.folder = RunFolder(Path(settings.out))
        is_again = settings.session > 1
        self._holder = take(self.folder, again=is_again)
        self.kept = self.failed = 0
        """Whole answers of earlier sessions, and answers that they did not get."""
        self.origins: tuple[str, ...] = ()
        """Lines that say which answers were not asked for in this session; known at the end."""
        self.unwritten: dict[str, str] = {}
        """Path -> why it could not be written; a full disk is no reason to lose what can still be told."""
        self._noted = {endpoint.name: endpoint.server for endpoint in settings.endpoints}
        with told_if_unwritable(self.folder.path, again=is_again):
            if is_again:
                self._recall()
            self.folder.write_run(self._record())

    def add(self, check: Check) -> None:
        """Record a check; of one that ran more than once the last result counts."""
        key = check_key(check)
        if self._checks.get(key) == check:
            return  # as it ended before the run was cut off
        self._checks[key] = check
        with self._noting(self.folder.journal.path):
            self.folder.append("check", check)

    def add_speed(self, nodeid: str, rows: tuple[SpeedRow, ...]) -> None:
        """Record what a test measured; of one that ran more than once the last result counts."""
        self._speed[nodeid] = rows
        with self._noting(self.folder.journal.path):
            for number, row in enumerate(rows, 1):
                self.folder.append("speed", row, nodeid=nodeid, row=number)

    def note(self, served: Mapping[str, Endpoint]) -> None:
        """Keep what is known of servers: a run that goes on after this one may have nothing left to ask them."""
        for name, endpoint in served.items():
            if endpoint.server != self._noted[name]:
                self._noted[name] = endpoint.server
                with suppress(OSError):
                    self.folder.write_server(without_secrets(endpoint, os.environ))

    def finish(self, served: Mapping[str, Endpoint], judge: Judge | None = None) -> Report:
        """Write report.json and every further copy asked for; what cannot be written is `unwritten`.

        Args:
            served: endpoints, by name, of which more is known now than when the run began.
            judge: gives the verdict of the gate; None: no bar was set.
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
        completions = self.folder.completions()
        self.origins = tuple(origin_lines(settings, completions))
        report = build_report(
            run,
            [without_secrets(self._as_served(one, served), os.environ) for one in settings.endpoints],
            completions,
            list(self._checks.values()),
            [row for rows in self._speed.values() for row in rows],
            suites=self.folder.suites(),
            judge=judge,
        )
        details = RunDetails(self.folder.path)
        for target in (ReportTarget("json", str(self.folder.path / REPORT_FILE)), *settings.reports):
            path = Path(target.path)
            with self._noting(path):
                write_as_typed(path, FORMATS[target.format](report, details).encode())
        self.folder.tidy()
        self._holder.close()
        return report

    def _as_served(self, endpoint: Endpoint, served: Mapping[str, Endpoint]) -> Endpoint:
        """Return an endpoint with what is known of its server, if only from a session in which it was asked."""
        now = served.get(endpoint.name, endpoint)
        before = self.folder.server(endpoint.name) if self._settings.session > 1 else None
        if before is None or now.server != endpoint.server:
            return now
        return replace(now, url=now.url or before.url, model=now.model or before.model, server=before.server)

    def _recall(self) -> None:
        """Take over what earlier sessions found; what is judged again replaces it."""
        names = {endpoint.name for endpoint in self._settings.endpoints}
        checks = self.folder.checks().values()
        self._checks = {check_key(check): check for check in checks if check.endpoint in names}
        measured = self.folder.journal.speed()
        self._speed = {test: tuple(row for row in rows if row.endpoint in names) for test, rows in measured.items()}
        errors = [outline.error for outline in self.folder.outlines().values() if outline.endpoint in names]
        self.failed = sum(error is not None for error in errors)
        self.kept = len(errors) - self.failed

    def _record(self) -> RunRecord:
        settings = self._settings
        earlier = self.folder.run_record() if settings.session > 1 else None
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        session = Session(
            settings.session, now, version("pytest-llmbench"), self._command, kept=self.kept, failed=self.failed
        )
        endpoints = tuple(without_secrets(endpoint, os.environ) for endpoint in settings.endpoints)
        sessions = () if earlier is None else earlier.sessions
        return RunRecord(RUN_SCHEMA, replace(settings, endpoints=endpoints), (*sessions, session))

    @contextmanager
    def _noting(self, path: Path) -> Iterator[None]:
        """Note that a file could not be written."""
        try:
            yield
        except OSError as error:
            self.unwritten[str(path)] = error.strerror or str(error)


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
