"""The run folder: what a run leaves on disk, written as it happens and safe to share between processes.

run.json                           the settings of the run and its sessions, by the controller, before anything is asked
report.json                        by the controller, at the end
journal.jsonl                      one line for each completion and check, appended when it is whole
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

import fcntl
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal, TypeVar

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.model.completion import CaseKey, Completion, transcript_path
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import SuiteRow
from pytest_llmbench.model.runrecord import RunRecord

T = TypeVar("T")

RUN_FILE = "run.json"
OWN_ENTRIES = (
    RUN_FILE, "report.json", "journal.jsonl", "suites", "completions", "candidates", "logs", "servers",
)  # fmt: skip
LOCKS = ".locks"
ABANDONED = "abandoned"
POLL_S = 0.02
_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{16}")
"""Name of a file of `write_whole` that is not whole."""


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


@dataclass(frozen=True, slots=True)
class _CheckLine:
    """A line of the journal."""

    kind: Literal["check"]
    record: Check


class RunFolder:
    """A run folder at `path`; nothing is made before something is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

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
        """All checks so far, by node id; of one that ran more than once the last result."""
        try:
            lines = (self.path / "journal.jsonl").read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        found = (_decoded(line, _CheckLine) for line in lines if line.startswith(b'{"kind":"check"'))
        return {line.record.nodeid: line.record for line in found if line is not None}

    def run_record(self) -> RunRecord | None:
        """Return the run as it was begun; None if there is no such file, or if it is none of ours."""
        return _read(self.path / RUN_FILE, RunRecord)

    def write_run(self, record: RunRecord) -> None:
        """Keep the run as it was begun; secrets must have been taken out."""
        self.write(RUN_FILE, encode(record) + b"\n")

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
        self.write(path, encode(completion) + b"\n")
        self.append("completion", {**completion.key._asdict(), "transcript": path, "error": completion.error})

    def append(self, kind: str, record: object) -> None:
        """Append one line to the journal, from whatever process."""
        line = encode({"kind": kind, "record": record})
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "journal.jsonl").open("ab") as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            journal.write(line + b"\n")

    def write(self, name: str, data: bytes) -> Path:
        """Write a file in one step, replacing an older one."""
        return write_whole(self.path / name, data)

    @staticmethod
    def slots(endpoint: str, count: int) -> list[str]:
        """Names of the locks that stand for an endpoint's places: as many as there may be requests in flight."""
        return [f"slot-{endpoint}-{place}" for place in range(count)]

    def claim(self, name: str) -> IO[bytes] | None:
        """Try to take the lock called `name`; None if another holds it. Closing it, or dying, frees it."""
        return self._lock(name, fcntl.LOCK_EX)

    def share(self, name: str) -> IO[bytes] | None:
        """Try to hold the lock called `name` together with others who share it; None if one has it alone."""
        return self._lock(name, fcntl.LOCK_SH)

    def lock_path(self, name: str) -> Path:
        """Where things lie that only running processes need."""
        return self.path / LOCKS / name

    def _lock(self, name: str, how: int) -> IO[bytes] | None:
        path = self.lock_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("ab")
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return None
        return handle

    def claim_all(self, names: Iterable[str]) -> Iterator[IO[bytes]]:
        """Take all these locks, one after the other, waiting for each as long as it takes."""
        for name in names:
            while (taken := self.claim(name)) is None:
                time.sleep(POLL_S)  # the kernel has no event for a lock of another process that came free
            yield taken

    def is_claimed(self, name: str) -> bool:
        """Whether some process, this one included, holds the lock called `name`."""
        path = self.lock_path(name)
        if not path.exists():
            return False
        with path.open("ab") as handle:
            try:
                # Shared, so that two who look at once do not take each other for the holder.
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def begin(self, *, again: bool = False) -> IO[bytes]:
        """Take the folder for a new run: move what an earlier one left there into a folder beside it.

        Args:
            again: go on with that run instead.

        Returns:
            What to close at the end of the run.

        Raises:
            UsageFault: the folder cannot be written, or another run is writing to it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            holder = self.claim("run")
            if holder is None:
                raise UsageFault(f"--llm-out={self.path}: another run is writing there; name another folder")
            for said in (self.lock_path(ABANDONED), *self.lock_path("").glob("*.json")):
                said.unlink(missing_ok=True)  # by a run that was killed
            left = [entry for name in OWN_ENTRIES if (entry := self.path / name).exists()]
            if again:
                self._mend()
            elif left:
                ended_at = datetime.fromtimestamp(max(entry.stat().st_mtime for entry in left), UTC)
                aside = self.path.with_name(f"{self.path.name}.{ended_at:%Y%m%dT%H%M%S.%fZ}")
                aside.mkdir()
                for entry in left:
                    entry.rename(aside / entry.name)
        except OSError as error:
            raise UsageFault(
                f"--llm-out={self.path}: cannot write there: {error.strerror}; name another folder"
            ) from error
        return holder

    def _mend(self) -> None:
        """Make room for what comes: end a line that was cut off, keep what earlier starts of servers printed.

        Files that were cut off go.
        """
        with (self.path / "journal.jsonl").open("ab+") as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            if journal.tell() and os.pread(journal.fileno(), 1, journal.tell() - 1) != b"\n":
                journal.write(b"\n")
        for place in ("suites", "completions", "candidates", "logs"):
            for left in (self.path / place).rglob(".*"):
                if _UNFINISHED.fullmatch(left.name):
                    left.unlink(missing_ok=True)
        moved = {}
        for log in (self.path / "servers").glob("*-[0-9]*.log"):
            ended_at = datetime.fromtimestamp(log.stat().st_mtime, UTC)
            kept = log.rename(log.with_suffix(f".{ended_at:%Y%m%dT%H%M%S.%fZ}.log"))
            moved[f"servers/{log.name}"] = f"servers/{kept.name}"
        for path in (self.path / "servers").glob("*.json"):
            endpoint = _read(path, Endpoint)
            if endpoint is not None and endpoint.server.log in moved:
                self.write_server(replace(endpoint, server=replace(endpoint.server, log=moved[endpoint.server.log])))

    def abandon(self) -> None:
        """Tell all processes of the run that nobody needs what they are waiting for any more."""
        (self.lock_path(ABANDONED)).touch()

    @property
    def is_abandoned(self) -> bool:
        """Whether the run was given up."""
        return (self.lock_path(ABANDONED)).exists()

    def tidy(self) -> None:
        """Remove what only running processes need."""
        shutil.rmtree(self.path / LOCKS, ignore_errors=True)


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


def write_whole(path: Path, data: bytes) -> Path:
    """Write a file so that a reader, or a crash, never sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path
