"""The run folder: what a run leaves on disk, written as it happens and safe to share between processes.

run.json                           the settings of the run and its sessions, by the controller, before anything is asked
report.json                        by the controller, at the end
journal.jsonl                      one line for each completion, check and figure of speed, appended when it is whole
suites/NAME/suite.json, prompt.md  what a suite was; what it asked, byte for byte
suites/NAME/program/PATH           the program that it gave to the models
completions/ENDPOINT/SUITE-sN.json request, answer and times; written once, by whoever fetched it
candidates/ENDPOINT/SUITE-sN/PATH  the program with the answer's files laid over it
logs/ENDPOINT/SUITE-sN/*.log       what a candidate printed while a scenario looked at it
logs/ENDPOINT/SUITE-sN/*.seen.txt  what the scenario saw
servers/ENDPOINT.json              the endpoint with what is known of its server so far
servers/ENDPOINT-N.log             what the endpoint's server printed at its Nth start
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pytest_llmbench.journal import Journal
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.model.completion import CaseKey, Completion, transcript_path
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import SuiteRow
from pytest_llmbench.model.runrecord import RunRecord
from pytest_llmbench.runlocks import RunLocks
from pytest_llmbench.wholefiles import write_whole

T = TypeVar("T")

RUN_FILE = "run.json"
REPORT_FILE = "report.json"
OWN_ENTRIES = (
    RUN_FILE, REPORT_FILE, "journal.jsonl", "suites", "completions", "candidates", "logs", "servers",
)  # fmt: skip


def candidate_path(key: CaseKey) -> str:
    """Where the run folder keeps the files of a candidate, relative to the folder."""
    return f"candidates/{key.endpoint}/{key.suite}-s{key.sample}"


def log_path(key: CaseKey, name: str) -> str:
    """Where the run folder keeps a file about a scenario, relative to the folder."""
    return f"logs/{key.endpoint}/{key.suite}-s{key.sample}/{name}"


@dataclass(frozen=True, slots=True)
class CompletionOutline:
    """What of a completion says whether it is to be asked for again."""

    endpoint: str
    suite: str
    sample: int
    error: str | None = None
    session: int = 1

    @property
    def key(self) -> CaseKey:
        """What names it."""
        return CaseKey(self.endpoint, self.suite, self.sample)


class RunFolder(RunLocks):
    """A run folder at `path`; nothing is made before something is written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.journal = Journal(path / "journal.jsonl")

    def read_completion(self, key: CaseKey) -> Completion | None:
        """Return the completion if some process of the run has written it."""
        return _read(self.path / transcript_path(key), Completion)

    def completions(self) -> tuple[Completion, ...]:
        """All completions so far."""
        found = (_read(path, Completion) for path in sorted((self.path / "completions").glob("*/*.json")))
        return tuple(completion for completion in found if completion is not None)

    def outlines(self) -> Mapping[CaseKey, CompletionOutline]:
        """What is there so far, without the texts and times that make a completion long."""
        found = (_read(path, CompletionOutline) for path in sorted((self.path / "completions").glob("*/*.json")))
        return {one.key: one for one in found if one is not None}

    def checks(self) -> Mapping[str, Check]:
        """See `Journal.checks`."""
        return self.journal.checks()

    def run_record(self) -> RunRecord | None:
        """Return the run as it was begun; None if there is no such file, or if it is none of ours."""
        return _read(self.path / RUN_FILE, RunRecord)

    def write_run(self, record: RunRecord) -> None:
        """Keep the run as it was begun, on the disk itself; secrets must have been taken out."""
        path = self.write(RUN_FILE, encode(record) + b"\n")
        for place in (path, path.parent):
            handle = os.open(place, os.O_RDONLY)
            try:
                os.fsync(handle)  # without it a machine that goes down would cost all answers, not only the last ones
            finally:
                os.close(handle)

    def server(self, endpoint: str) -> Endpoint | None:
        """Return an endpoint as it was served; None if nothing was learned of its server."""
        return _read(self.path / "servers" / f"{endpoint}.json", Endpoint)

    def write_server(self, endpoint: Endpoint) -> None:
        """Keep an endpoint as it is served; secrets must have been taken out."""
        self.write(f"servers/{endpoint.name}.json", encode(endpoint) + b"\n")

    def suite(self, name: str) -> SuiteRow | None:
        """Return what a suite was when it was asked; None if it was not."""
        return _read(self.path / "suites" / name / "suite.json", SuiteRow)

    def suites(self) -> tuple[SuiteRow, ...]:
        """All suites that were asked so far, by name."""
        found = (_read(path, SuiteRow) for path in sorted((self.path / "suites").glob("*/suite.json")))
        return tuple(row for row in found if row is not None)

    def write_suite(self, row: SuiteRow, prompt: str, program: Mapping[str, bytes]) -> None:
        """Keep what a suite asks; paths of `program` must have been checked."""
        place = f"suites/{row.name}"
        self.write(f"{place}/prompt.md", prompt.encode())
        for path, data in program.items():
            self.write(f"{place}/program/{path}", data)
        self.write(f"{place}/suite.json", encode(row) + b"\n")  # last: who finds it finds the others

    def write_completion(self, completion: Completion) -> None:
        """Keep a completion; readers see all of it or nothing."""
        path = transcript_path(completion.key)
        # First, so that no check of it can come before it in the journal.
        self.append("completion", {**completion.key._asdict(), "transcript": path, "error": completion.error})
        self.write(path, encode(completion) + b"\n")

    def append(self, kind: str, record: object, **more: object) -> None:
        """Append one line to the journal, from whatever process."""
        self.journal.append(kind, record, **more)

    def write(self, name: str, data: bytes) -> Path:
        """Write a file in one step, replacing an older one."""
        return write_whole(self.path / name, data)


def _read(path: Path, kind: type[T]) -> T | None:
    """Read one record; None if it is not there, or is none: somebody else's file must not cost us the report."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _decoded(data, kind)


def _decoded(data: bytes, kind: type[T]) -> T | None:
    try:
        return decode(data, kind)
    except ValueError:
        return None
