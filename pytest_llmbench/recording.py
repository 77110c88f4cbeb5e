"""Hooks of the process that the user started: decides the settings, deals out the checks, records how they ended."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.options import settings_to_text, value_of
from pytest_llmbench.run import CASE, Run, is_given_up, is_speed_test

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController

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
        self._report: Report | None = None

    def pytest_report_header(self) -> list[str]:
        """Say whom this run asks."""
        if not self._run.is_used:
            return []
        if not value_of(self._run.config, "endpoint"):
            return ["llmbench: no --llm-endpoint given: judging the reference answers bundled with the suites"]
        return [
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
            self._begin([item.nodeid for item in session.items if is_speed_test(item)])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Begin the record before the first test is dealt out; with xdist."""
        from pytest_llmbench.nodeids import read_check_id, read_speed_id

        names, measurable, root = self._run.endpoint_names, self._run.measurable_names, self._run.config.rootpath
        speed = [nodeid for nodeid in ids if read_speed_id(nodeid, measurable, root)]
        if speed or any(read_check_id(nodeid, names, root) for nodeid in ids):
            self._begin(speed)

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

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a check as soon as it ended."""
        if self._recorder is None:
            return
        from pytest_llmbench.verdict import carried, carried_speed

        check = carried(report)
        if check is not None and str(report.outcome) != "rerun":
            self._recorder.add(check)
        if rows := carried_speed(report):
            self._recorder.add_speed(report.nodeid, rows)
        if report.when == "teardown" and self._servers is not None:
            self._servers.done(report.nodeid)
        if self._session is not None and is_given_up(self._session):
            self._abandon()

    def pytest_keyboard_interrupt(self) -> None:
        """Let no worker wait for answers that nobody will look at."""
        self._abandon()

    def pytest_sessionfinish(self) -> None:
        """Stop the servers, and write the report."""
        served = self._servers.close() if self._servers is not None else {}
        if self._recorder is not None:
            self._report = self._recorder.finish(served)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what the run found and where it lies."""
        if self._report is None:
            return
        from pytest_llmbench.model.codec import decode
        from pytest_llmbench.model.report import Report
        from pytest_llmbench.reports.terminal import summary_lines

        terminalreporter.section("llmbench")
        settings = self._run.settings
        baseline = decode(Path(settings.baseline).read_bytes(), Report) if settings.baseline else None
        width = shutil.get_terminal_size().columns
        for line in summary_lines(self._report, run_folder=settings.out, width=width, baseline=baseline):
            terminalreporter.write_line(line)

    def _begin(self, speed_tests: Sequence[str]) -> None:
        option = self._run.config.option
        if self._recorder is not None or option.collectonly or value_of(self._run.config, "export-prompts"):
            return
        from pytest_llmbench.provision.redaction import redact_words, secrets_in
        from pytest_llmbench.recorder import Recorder

        # A server's command line may be one word of ours, with its keys in it.
        secrets = secrets_in(os.environ)
        words = (str(word).split(" ") for word in self._run.config.invocation_params.args)
        command = ("pytest", *(" ".join(redact_words(word, secrets)) for word in words))
        try:
            self._recorder = Recorder(self._run.settings, command, self._run.began_s)
        except UsageFault as fault:
            raise pytest.UsageError(str(fault)) from fault
        if any(endpoint.replay is None for endpoint in self._run.settings.endpoints):
            from pytest_llmbench.serving import Servers

            self._servers = Servers(self._run, self._recorder.folder, speed_tests)

    def _abandon(self) -> None:
        if self._recorder is not None:
            self._recorder.folder.abandon()


def _whereabouts(endpoint: Endpoint) -> str:
    if endpoint.serve is not None:
        return f"{endpoint.serve.kind} {endpoint.serve.model or ''}, to be started".replace(" ,", ",")
    return str(endpoint.problem or endpoint.replay or endpoint.url)
