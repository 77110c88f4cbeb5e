"""The straight line of one check: completion -> files -> sandbox -> observations."""

from __future__ import annotations

import pprint
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from pytest_llmbench.asking import Case
from pytest_llmbench.candidate import Candidate, read_answer
from pytest_llmbench.errors import EndpointError, GraderError, SandboxError
from pytest_llmbench.fetch import Fetcher
from pytest_llmbench.keeping import keep_candidate, keep_seen, keep_suite, suite_changed
from pytest_llmbench.model.check import Check, SandboxUse
from pytest_llmbench.model.completion import CaseKey, Completion, transcript_path
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.runfolder import RunFolder, log_path
from pytest_llmbench.sandbox import open_sandbox, require_programs
from pytest_llmbench.sandbox.api import Process, Sandbox

T = TypeVar("T")
OBSERVATION_CHARS = 400
"""Of what a scenario saw, beside a failure; of more, only the file is named."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What one scenario saw of one answer, or why it saw nothing."""

    scenario: str
    value: Any
    error: Exception | None
    traceback: TracebackType | None
    log: str | None
    """Path of what the candidate printed, relative to the run folder; None if nothing was started."""


class Grader:
    """All that the checks of a process share: completions, extracted files, the sandbox, observations."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = RunFolder(Path(settings.out))
        self._fetcher = Fetcher(settings, self.folder)
        self._sandbox: Sandbox | SandboxError | None = None
        self._observed: dict[tuple[CaseKey, Callable[..., Any]], Observed] = {}
        self._kept: set[CaseKey] = set()
        """Cases whose candidate's files are in the run folder."""
        self._changed: Mapping[str, str] = {}
        """Suite -> why its answers cannot be judged in this run."""

    def expect(self, cases: Sequence[Case]) -> None:
        """Start fetching what will be needed."""
        suites = {case.suite.name: case.suite for case in cases}
        if self.settings.session > 1:
            self._changed = {name: why for name, suite in suites.items() if (why := suite_changed(self.folder, suite))}
        # First, so that no answer can be there of which nobody knows any more what was asked.
        for name, suite in suites.items():
            if name not in self._changed:
                keep_suite(self.folder, suite)
        self._fetcher.expect([case for case in cases if case.suite.name not in self._changed])

    def completion(self, case: Case) -> Completion:
        """Return the completion of a case, once it is there; a failed one has `error` set.

        Raises:
            GraderError: the run is gone on with, and began with another suite.
        """
        if why := self._changed.get(case.suite.name):
            raise GraderError(why)
        return self._fetcher.get(case)

    def first_there(self, cases: Sequence[Case], *, wait: bool) -> Case | None:
        """Return the case of the first of these completions that is there; see `Fetcher.first_there`."""
        return self._fetcher.first_there(cases, wait=wait)

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox of this process, proved on first use.

        Raises:
            SandboxError: it cannot be had on this host; the message says what to do.
        """
        if self._sandbox is None:
            try:
                self._sandbox = open_sandbox(self.settings.sandbox)
            except SandboxError as error:
                self._sandbox = error
        if isinstance(self._sandbox, SandboxError):
            raise self._sandbox
        return self._sandbox

    def observe(self, case: Case, scenario: Callable[[Candidate], Any]) -> Observed:
        """Let a scenario look at the answer to a case, or return what it saw before."""
        memo = (case.key, scenario)
        if memo not in self._observed:
            self._observed[memo] = self._look(case, scenario)
        return self._observed[memo]

    def close(self, *, wait: bool) -> None:
        """Free everything; see `Fetcher.close`."""
        self._fetcher.close(wait=wait)
        if isinstance(self._sandbox, Sandbox):
            self._sandbox.close()

    def _look(self, case: Case, scenario: Callable[[Candidate], Any]) -> Observed:
        name = scenario.__name__
        started: list[Process] = []
        value: Any = None
        error: Exception | None = None
        try:
            files, answer = read_answer(self.completion(case), case.suite)
            if case.key not in self._kept:
                self._kept.add(case.key)
                keep_candidate(self.folder, case.key, files)
            require_programs(case.suite.needs)
            rng = random.Random(f"{self.settings.seed}/{case.suite.name}/{case.sample}/{name}")  # noqa: S311 - repeatable on purpose
            value = scenario(Candidate(files, answer, rng, self.sandbox, started))
        except AssertionError as failure:
            error = GraderError(f"an assertion of the judge failed in {name}: {failure}")
            error.__cause__ = failure
        except Exception as failure:  # noqa: BLE001 - whatever it was, each check that asks gets it
            error = failure
        finally:
            for process in started:
                process.close()
        if error is None:
            keep_seen(self.folder, case.key, name, value)
        return Observed(name, value, error, error.__traceback__ if error else None, self._keep_log(case, name, started))

    def _keep_log(self, case: Case, scenario: str, started: Sequence[Process]) -> str | None:
        if not started:
            return None
        log = log_path(case.key, f"{scenario}.log")
        with suppress(OSError):  # a full disk is no reason to lose the verdict
            self.folder.write(log, b"".join(map(_log_of, started)))
            return log
        return None


class Attempt:
    """One check of one answer on its way; the value of the fixture `observe`."""

    def __init__(self, grader: Grader, case: Case) -> None:
        self.case = case
        self.completion: Completion | None = None
        self._grader = grader
        self._seen: list[Observed] = []

    def fetch(self) -> None:
        """Wait for the completion.

        Raises:
            EndpointError: there is no whole answer.
        """
        self.completion = self._grader.completion(self.case)
        if self.completion.exchange is None:
            raise EndpointError(self.completion.error or "no answer")

    def __call__(self, scenario: Callable[[Candidate], T], /) -> T:
        """See `Observe`."""
        seen = self._grader.observe(self.case, scenario)
        self._seen.append(seen)
        if seen.error is not None:
            # One exception for all checks that ask: each begins with the frames of the judge only.
            raise seen.error.with_traceback(seen.traceback)
        value: T = seen.value
        return value

    @property
    def truncated(self) -> bool:
        """Whether the model ran into its token limit."""
        exchange = self.completion.exchange if self.completion is not None else None
        return exchange is not None and exchange.finish_reason == "length"

    @property
    def sandbox(self) -> SandboxUse | None:
        """In what the candidate ran; None if it did not."""
        return self._grader.sandbox.use if self.logs else None

    @property
    def logs(self) -> tuple[str, ...]:
        """Where the candidate's output is, scenario by scenario, relative to the run folder."""
        return tuple(dict.fromkeys(seen.log for seen in self._seen if seen.log))

    def notes(self) -> str:
        """What the owner of the model wants to see beside a failed assertion."""
        folder = self._grader.folder.path
        lines = [f"transcript: {folder / transcript_path(self.case.key)}"]
        lines += [f"candidate's output: {folder / log}" for log in self.logs]
        lines += [f"{seen.scenario} saw: {self._told(seen)}" for seen in self._seen if seen.error is None]
        return "\n".join(lines)

    def _told(self, seen: Observed) -> str:
        if len(repr(seen.value)) <= OBSERVATION_CHARS:
            return pprint.pformat(seen.value, width=100)
        return str(self._grader.folder.path / log_path(self.case.key, f"{seen.scenario}.seen.txt"))


def known_checks(settings: Settings, cases: Iterable[Case]) -> Mapping[str, Check]:
    """Return the verdicts of earlier sessions that still hold, by node id: answer and suite are as they were."""
    folder = RunFolder(Path(settings.out))
    by_key = {case.key: case for case in cases}
    suites = {case.suite.name: case.suite for case in by_key.values()}
    changed = {name: suite_changed(folder, suite) for name, suite in suites.items()}
    answered = {key for key, outline in folder.outlines().items() if outline.error is None and key in by_key}
    return {
        nodeid: check
        for nodeid, check in folder.checks().items()
        if check.outcome.scored
        and CaseKey(check.endpoint, check.suite, check.sample) in answered
        and not changed[check.suite]
    }


def _log_of(process: Process) -> bytes:
    out, err = process.output()
    return b"--- stdout\n" + out + b"\n--- stderr\n" + err + b"\n"
