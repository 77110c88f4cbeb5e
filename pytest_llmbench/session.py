"""What a pytest session does with the checks: wiring from pytest's hooks to the layers below."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_llmbench.errors import GraderError, UsageFault
from pytest_llmbench.options import read_settings, settings_from_text, settings_to_text, value_of

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController

    from pytest_llmbench.check import Attempt, Grader
    from pytest_llmbench.fetch import Case
    from pytest_llmbench.model.report import Report
    from pytest_llmbench.model.settings import Settings
    from pytest_llmbench.recorder import Recorder
    from pytest_llmbench.suite import Suite

SUITE_FILE = "suite.yaml"


class LlmbenchSession:
    """Hooks of one session, in the controller as in a worker."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._began_s = time.monotonic()
        self._is_worker = hasattr(config, "workerinput")
        self._grader: Grader | None = None
        self._recorder: Recorder | None = None
        self._report: Report | None = None
        self._suites: dict[Path, Suite] = {}
        self._cases: list[Case] = []
        self._session: pytest.Session | None = None

    @cached_property
    def settings(self) -> Settings:
        """Of the run: decided by the controller, handed to the workers."""
        if self._is_worker:
            return settings_from_text(self._config.workerinput["llmbench"])  # type: ignore[attr-defined]
        try:
            return read_settings(self._config)
        except UsageFault as fault:
            raise pytest.UsageError(str(fault)) from fault

    @property
    def grader(self) -> Grader:
        """Made when the first check needs it; all answers are then asked for at once."""
        if self._grader is None:
            from pytest_llmbench.check import Grader

            self._grader = Grader(self.settings)
            self._grader.expect(self._cases)
        return self._grader

    def attempt(self, item: pytest.Item) -> Attempt:
        """Begin a check.

        Raises:
            EndpointError: the model gave no whole answer.
        """
        from pytest_llmbench.check import Attempt

        item.stash[ATTEMPT] = attempt = Attempt(self.grader, item.stash[CASE])
        attempt.fetch()
        return attempt

    def pytest_report_header(self) -> list[str]:
        """Say whom this run asks."""
        if not self._is_used:
            return []
        if not self.settings.endpoints[0].replay and self.settings.endpoints[0].url is None:
            return ["llmbench: no --llm-endpoint given: judging the reference answers bundled with the suites"]
        return [
            f"llmbench: endpoint {one.name}: {one.replay or one.url}" + (f" ({one.model})" if one.model else "")
            for one in self.settings.endpoints
        ]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Decide the settings before xdist starts its workers, so that a mistake is told once and at once."""
        self._session = session
        if not self._is_worker:
            _ = self.settings

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        """Hand the settings to a worker."""
        node.workerinput["llmbench"] = settings_to_text(self.settings)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
        """Keep the checks of one answer together, unless the user chose another way to deal out tests."""
        if config.getvalue("dist") not in ("load", "loadgroup") or not self._is_used:
            return None
        from pytest_llmbench.scheduling import CaseScheduling

        return CaseScheduling(config, log, frozenset(endpoint.name for endpoint in self.settings.endpoints))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Parametrise the checks over endpoints and samples."""
        folder = metafunc.definition.path.parent
        if "observe" not in metafunc.fixturenames or not (folder / SUITE_FILE).exists():
            return
        from pytest_llmbench.nodeids import case_id

        self._load_suite(folder)
        samples = range(1, self.settings.samples + 1)
        cases = [(endpoint.name, sample) for endpoint in self.settings.endpoints for sample in samples]
        metafunc.parametrize("observe", cases, indirect=True, ids=[case_id(*case) for case in cases])

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Attach a check to its case, and mark it with its suite and difficulty."""
        params = getattr(item, "callspec", None) and item.callspec.params  # type: ignore[attr-defined]
        if not params or "observe" not in params or not (item.path.parent / SUITE_FILE).exists():
            return
        from pytest_llmbench.fetch import Case

        suite = self._load_suite(item.path.parent)
        endpoint, sample = params["observe"]
        item.stash[CASE] = Case(self.settings.endpoint(endpoint), suite, sample)
        item.add_marker(suite.name)
        item.add_marker(suite.difficulty)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the checks of one answer together, so that an answer that is there does not wait for one that is not."""
        first: dict[object, int] = {}
        places = {
            item: first.setdefault(item.stash[CASE].key if CASE in item.stash else item, place)
            for place, item in enumerate(items)
        }
        items.sort(key=places.__getitem__)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Note which answers will be needed, or only write the prompts."""
        items = [item for item in session.items if CASE in item.stash and not item.get_closest_marker("skip")]
        self._cases = [item.stash[CASE] for item in items]
        if folder := value_of(self._config, "export-prompts"):
            export_prompts(self._config.invocation_params.dir / folder, self._cases)
            return True
        if self._cases and not self._is_worker and not self._config.option.collectonly and not session.testsfailed:
            self._begin_record()
        return None

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Begin the record before the first test is dealt out."""
        from pytest_llmbench.nodeids import read_check_id

        names = [endpoint.name for endpoint in self.settings.endpoints]
        if not self._config.option.collectonly and any(read_check_id(nodeid, names) for nodeid in ids):
            self._begin_record()

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """A check that killed its worker is our error, not the model's failure."""
        from pytest_llmbench.nodeids import read_check_id
        from pytest_llmbench.verdict import tell_crash

        known = read_check_id(crashitem, [endpoint.name for endpoint in self.settings.endpoints])
        if known is not None and self._recorder is not None:
            tell_crash(report, known)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Say which of the six ways a check ended."""
        report = yield
        ended = call.when == "call" or (call.when == "setup" and report.failed)
        if ended and CASE in item.stash and not report.skipped:
            from pytest_llmbench.verdict import tell

            error = call.excinfo.value if call.excinfo else None
            tell(item, report, item.stash[CASE].key, error, item.stash.get(ATTEMPT, None))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a check as soon as it ended; in the controller only."""
        if self._recorder is None:
            return
        from pytest_llmbench.verdict import carried

        check = carried(report)
        if check is not None and report.when != "teardown" and str(report.outcome) != "rerun":
            self._recorder.add(check)
        if self._session is not None and self._is_given_up(self._session):
            self._abandon()

    def pytest_keyboard_interrupt(self) -> None:
        """Let no worker wait for answers that nobody will look at."""
        self._abandon()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let go of endpoints and sandbox, then write the report."""
        if self._grader is not None:
            # Only beside other workers can somebody else need an answer that is still coming.
            self._grader.close(wait=self._is_worker and not self._is_given_up(session))
        if self._recorder is not None:
            self._report = self._recorder.finish()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what the run found and where it lies."""
        if self._report is None:
            return
        from pytest_llmbench.reports.terminal import summary_lines

        terminalreporter.section("llmbench")
        width = shutil.get_terminal_size().columns
        for line in summary_lines(self._report, run_folder=self.settings.out, width=width):
            terminalreporter.write_line(line)

    def _load_suite(self, folder: Path) -> Suite:
        if folder not in self._suites:
            from pytest_llmbench.suite import load_suite

            try:
                self._suites[folder] = load_suite(folder)
            except GraderError as error:
                raise pytest.Collector.CollectError(str(error)) from error
        return self._suites[folder]

    @property
    def _is_used(self) -> bool:
        """Whether the command line asks for endpoints or for a suite; cheap, and good enough for a header."""
        return bool(value_of(self._config, "endpoint")) or any(map(_names_a_suite, self._config.args))

    def _begin_record(self) -> None:
        if self._recorder is not None:
            return
        from pytest_llmbench.recorder import Recorder

        command = ("pytest", *map(str, self._config.invocation_params.args))
        try:
            self._recorder = Recorder(self.settings, command, self._began_s)
        except UsageFault as fault:
            raise pytest.UsageError(str(fault)) from fault

    def _abandon(self) -> None:
        if self._recorder is not None:
            self._recorder.folder.abandon()

    @staticmethod
    def _is_given_up(session: pytest.Session) -> bool:
        return bool(session.shouldstop or session.shouldfail)


SESSION = pytest.StashKey[LlmbenchSession]()
CASE = pytest.StashKey["Case"]()
ATTEMPT = pytest.StashKey["Attempt"]()


def export_prompts(folder: Path, cases: Sequence[Case]) -> None:
    """Write each suite's prompt, byte for byte what a model is sent."""
    folder.mkdir(parents=True, exist_ok=True)
    for suite in {case.suite.name: case.suite for case in cases}.values():
        (folder / f"{suite.name}.md").write_bytes(suite.prompt.encode())


def _names_a_suite(argument: str) -> bool:
    if argument.startswith("pytest_llmbench.suites"):
        return True
    path = Path(argument.partition("::")[0])
    folder = path if path.is_dir() else path.parent
    return (folder / SUITE_FILE).exists() or any(folder.glob(f"*/{SUITE_FILE}"))
