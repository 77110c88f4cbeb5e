"""Hooks of the process that the user started: decides the settings, deals out the checks, records how they ended."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.options import settings_to_text, value_of
from pytest_llmbench.run import CASE, Run, is_given_up, is_speed_test

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController

    from pytest_llmbench.ending import Ending
    from pytest_llmbench.live import Live
    from pytest_llmbench.model.endpoint import Endpoint
    from pytest_llmbench.model.report import Report
    from pytest_llmbench.recorder import Recorder
    from pytest_llmbench.serving import Servers


class Recording:
    """Not in workers: files that all share are written by one process."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._session: pytest.Session | None = None
        self._recorder: Recorder | None = None
        self._servers: Servers | None = None
        self._live: Live | None = None
        self._ending: Ending | None = None
        self._report: Report | None = None

    @property
    def report(self) -> Report | None:
        """What the run found; None before its end, and where nothing of ours was run."""
        return self._report

    def pytest_report_header(self) -> list[str]:
        """Say whom this run asks."""
        if not self._run.is_used:
            return []
        from pytest_llmbench.announcing import header_lines

        return header_lines(self._run)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Decide the settings before xdist starts its workers, so that a mistake is told once and at once."""
        self._session = session
        _ = self._run.settings

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        """Hand the settings to a worker."""
        node.workerinput["llmbench"] = settings_to_text(self._run.settings)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
        """Keep the checks of one answer together, unless the user chose another way to deal out tests."""
        if config.getvalue("dist") not in ("load", "loadgroup") or not self._run.is_used:
            return None
        from pytest_llmbench.scheduling import CaseScheduling

        return CaseScheduling(config, log, self._run.endpoint_names, self._run.measurable_names, self._run.roots)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Begin the record before the first test runs; without xdist."""
        ours = any(CASE in item.stash or is_speed_test(item) for item in session.items)
        if ours and (not session.testsfailed or session.config.option.continue_on_collection_errors):
            self._begin(
                [item.nodeid for item in session.items],
                [item.nodeid for item in session.items if is_speed_test(item)],
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Begin the record before the first test is dealt out; with xdist."""
        from pytest_llmbench.nodeids import read_check_id, read_speed_id

        names, measurable, roots = self._run.endpoint_names, self._run.measurable_names, self._run.roots
        speed = [nodeid for nodeid in ids if read_speed_id(nodeid, measurable, *roots)]
        if speed or any(read_check_id(nodeid, names, *roots) for nodeid in ids):
            self._begin(ids, speed)

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """A check that killed its worker is our error, not the model's failure."""
        if self._recorder is None:
            return
        from pytest_llmbench.nodeids import read_check_id
        from pytest_llmbench.verdict import tell_crash

        known = read_check_id(crashitem, self._run.endpoint_names, *self._run.roots)
        if known is not None:
            tell_crash(report, known)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a check as soon as it ended."""
        if self._recorder is None or self._ending is None:
            return
        from pytest_llmbench.verdict import carried, carried_speed

        check = carried(report)
        if check is not None and str(report.outcome) != "rerun":
            self._recorder.add(self._ending.marked(check, report))
        if rows := carried_speed(report):
            self._recorder.add_speed(report.nodeid, rows)
        if report.when == "teardown" and self._servers is not None:
            self._servers.done(report.nodeid)
            self._recorder.note(self._servers.known)
        if self._session is not None and is_given_up(self._session):
            self._abandon()

    def pytest_keyboard_interrupt(self) -> None:
        """Let no worker wait for answers that nobody will look at."""
        self._abandon()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Stop the servers, write the report, and let the gate decide how pytest ends."""
        if self._live is not None:
            self._live.close()
        served: Mapping[str, Endpoint] = {}
        try:
            if self._servers is not None:
                served = self._servers.close()
        finally:  # whatever befalls them, or whoever has no patience, the report is written
            self._finish(session, served)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what the run found and where it lies."""
        if self._report is None or self._recorder is None or self._ending is None:
            return
        from pytest_llmbench.announcing import show_found

        settings = self._run.settings
        show_found(terminalreporter, settings, self._report, self._ending.baseline, self._recorder.origins)
        for path, why in self._recorder.unwritten.items():
            terminalreporter.write_line(
                f"cannot write {path}: {why}; make room, then: --llm-resume={settings.out}", red=True
            )

    def _begin(self, nodeids: Sequence[str], speed_tests: Sequence[str]) -> None:
        option = self._run.config.option
        if self._recorder is not None or option.collectonly or value_of(self._run.config, "export-prompts"):
            return
        from pytest_llmbench.disclosure import shown_command
        from pytest_llmbench.ending import Ending
        from pytest_llmbench.prior import look_at_suites
        from pytest_llmbench.recorder import Recorder

        words = map(str, self._run.config.invocation_params.args)
        try:
            has_failed = self._session is not None and self._session.testsfailed > 0
            self._ending = Ending(self._run, nodeids, has_failed=has_failed)
            look_at_suites(self._run, nodeids)
            self._recorder = Recorder(
                self._run.settings, ("pytest", *shown_command(words, os.environ)), self._run.began_s
            )
        except UsageFault as fault:
            raise pytest.UsageError(str(fault)) from fault
        self._run.config.pluginmanager.register(self._ending, "llmbench-ending")
        if any(endpoint.replay is None for endpoint in self._run.settings.endpoints):
            from pytest_llmbench.serving import Servers

            self._live = self._show_live()
            hide = None if self._live is None else self._live.hide
            self._servers = Servers(self._run, self._recorder.folder, speed_tests, hide)

    def _finish(self, session: pytest.Session, served: Mapping[str, Endpoint]) -> None:
        if self._recorder is None or self._ending is None:
            return
        self._report = self._recorder.finish(served, self._ending.judge)
        session.exitstatus = self._ending.status(self._report, session.exitstatus)
        if self._recorder.unwritten:
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR  # nobody may take what is not there for a verdict

    def _show_live(self) -> Live | None:
        from pytest_llmbench.live import Live

        config = self._run.config
        if self._recorder is None or not Live.is_wanted(config):
            return None
        live = Live(config, self._recorder.folder)
        config.pluginmanager.register(live, "llmbench-live")
        return live

    def _abandon(self) -> None:
        if self._recorder is not None:
            self._recorder.folder.abandon()
