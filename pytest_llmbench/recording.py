"""Hooks of the process that the user started: decides the settings, deals out the checks, records how they ended."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.options import settings_to_text, value_of
from pytest_llmbench.run import CASE, SUITE_FILE, Run, is_given_up, is_speed_test

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController

    from pytest_llmbench.gating import Gatekeeper
    from pytest_llmbench.live import Live
    from pytest_llmbench.model.check import Check
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
        self._gatekeeper: Gatekeeper | None = None
        self._report: Report | None = None
        self._others_failed = False
        """Whether something failed that is no check, and so not the gate's to forgive."""

    @property
    def report(self) -> Report | None:
        """What the run found; None before its end, and where nothing of ours was run."""
        return self._report

    def pytest_report_header(self) -> list[str]:
        """Say whom this run asks."""
        if not self._run.is_used:
            return []
        settings = self._run.settings
        if not value_of(self._run.config, "endpoint") and settings.session == 1:
            return ["llmbench: no --llm-endpoint given: judging the reference answers bundled with the suites"]
        lines = []
        if settings.session > 1:
            from pytest_llmbench.provenance import resumed_line

            lines = [f"llmbench: {resumed_line(settings)}"]
        return lines + [
            f"llmbench: endpoint {one.name}: {_whereabouts(one)}" + (f" ({one.model})" if one.model else "")
            for one in self._run.settings.endpoints
        ]

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

        return CaseScheduling(config, log, self._run.endpoint_names, self._run.measurable_names)

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

        names, measurable, root = self._run.endpoint_names, self._run.measurable_names, self._run.config.rootpath
        speed = [nodeid for nodeid in ids if read_speed_id(nodeid, measurable, root)]
        if speed or any(read_check_id(nodeid, names, root) for nodeid in ids):
            self._begin(ids, speed)

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """A check that killed its worker is our error, not the model's failure."""
        if self._recorder is None:
            return
        from pytest_llmbench.nodeids import read_check_id
        from pytest_llmbench.verdict import tell_crash

        known = read_check_id(crashitem, self._run.endpoint_names, self._run.config.rootpath)
        if known is not None:
            tell_crash(report, known)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what could not be collected."""
        self._others_failed |= report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a check as soon as it ended."""
        if self._recorder is None or self._gatekeeper is None:
            return
        from pytest_llmbench.verdict import carried, carried_speed

        check = carried(report)
        if check is not None and str(report.outcome) != "rerun":
            self._recorder.add(self._marked(check, report))
        self._others_failed |= report.failed and check is None
        if report.skipped:
            self._gatekeeper.skip(report.nodeid)
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
        served = self._servers.close() if self._servers is not None else {}
        if self._recorder is None or self._gatekeeper is None:
            return
        from pytest_llmbench.gating import exit_status

        self._report = self._recorder.finish(served, self._gatekeeper.judge)
        if not self._others_failed:
            session.exitstatus = exit_status(self._report.gate, session.exitstatus)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what the run found and where it lies."""
        if self._report is None:
            return
        from pytest_llmbench.reports.terminal import summary_lines

        terminalreporter.section("llmbench")
        settings = self._run.settings
        baseline = self._gatekeeper.baseline if self._gatekeeper is not None else None
        baseline_folder = str(Path(settings.baseline).parent) if settings.baseline else None
        width = shutil.get_terminal_size().columns
        for line in self._recorder.origins if self._recorder is not None else ():
            terminalreporter.write_line(line)
        for line in summary_lines(
            self._report, run_folder=settings.out, width=width, baseline=baseline, baseline_folder=baseline_folder
        ):
            terminalreporter.write_line(line)

    def _begin(self, nodeids: Sequence[str], speed_tests: Sequence[str]) -> None:
        option = self._run.config.option
        if self._recorder is not None or option.collectonly or value_of(self._run.config, "export-prompts"):
            return
        from pytest_llmbench.gating import Gatekeeper
        from pytest_llmbench.provision.redaction import redact_words, secrets_in
        from pytest_llmbench.recorder import Recorder

        # A server's command line may be one word of ours, with its keys in it.
        secrets = secrets_in(os.environ)
        words = (str(word).split(" ") for word in self._run.config.invocation_params.args)
        command = ("pytest", *(" ".join(redact_words(word, secrets)) for word in words))
        try:
            self._gatekeeper = Gatekeeper(self._run, nodeids)
            if self._run.settings.session > 1:
                self._go_on(nodeids)
            self._recorder = Recorder(self._run.settings, command, self._run.began_s)
        except UsageFault as fault:
            raise pytest.UsageError(str(fault)) from fault
        if any(endpoint.replay is None for endpoint in self._run.settings.endpoints):
            from pytest_llmbench.serving import Servers

            self._live = self._show_live()
            hide = None if self._live is None else self._live.hide
            self._servers = Servers(self._run, self._recorder.folder, speed_tests, hide)

    def _go_on(self, nodeids: Sequence[str]) -> None:
        """Say what a run that was cut off still wants.

        Raises:
            UsageFault: a suite is not as it was; what xdist's controller cannot find of it, the workers look at.
        """
        from pytest_llmbench.keeping import refuse_changed
        from pytest_llmbench.nodeids import read_check_id
        from pytest_llmbench.provenance import missing_line

        checks = {
            nodeid: read_check_id(nodeid, self._run.endpoint_names, self._run.config.rootpath) for nodeid in nodeids
        }
        root = self._run.config.rootpath
        places = {(root / nodeid.partition("::")[0]).parent for nodeid, known in checks.items() if known}
        refuse_changed(Path(self._run.settings.out), [place for place in places if (place / SUITE_FILE).exists()])
        terminal = self._run.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and terminal.verbosity >= 0:
            line = missing_line(self._run.settings, {known.key for known in checks.values() if known})
            terminal.ensure_newline()
            terminal.write_line(f"llmbench: {line}")

    def _marked(self, check: Check, report: pytest.TestReport) -> Check:
        """Say of a check whether the gate lets it fail."""
        is_named = f"{check.suite}/{check.check}" in self._run.settings.must_pass
        return replace(check, must_pass=is_named or "must_pass" in report.keywords)

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


def _whereabouts(endpoint: Endpoint) -> str:
    if endpoint.serve is not None:
        return f"{endpoint.serve.kind} {endpoint.serve.model or ''}, to be started".replace(" ,", ",")
    if endpoint.replay:
        from pytest_llmbench.provenance import replayed_words

        return replayed_words(endpoint.replay)
    return str(endpoint.problem or endpoint.url or "the reference answers bundled with the suites")
