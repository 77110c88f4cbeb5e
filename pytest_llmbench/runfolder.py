"""The run folder: what a run leaves on disk, written as it happens and safe to share between processes.

report.json                        by the controller, at the end
journal.jsonl                      one line for each completion and check, appended when it is whole
completions/ENDPOINT/SUITE-sN.json request, answer and times; written once, by whoever fetched it
logs/ENDPOINT/SUITE-sN/*.log       what a candidate printed
servers/ENDPOINT-N.log             what the endpoint's server printed at its Nth start
"""

from __future__ import annotations

import fcntl
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.model.completion import CaseKey, Completion, transcript_path

OWN_ENTRIES = ("report.json", "journal.jsonl", "completions", "logs", "servers")
LOCKS = ".locks"
ABANDONED = "abandoned"
POLL_S = 0.02


class RunFolder:
    """A run folder at `path`; nothing is made before something is written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read_completion(self, key: CaseKey) -> Completion | None:
        """Return the completion if some process of the run has written it."""
        return _read(self.path / transcript_path(key))

    def completions(self) -> tuple[Completion, ...]:
        """All completions so far."""
        found = map(_read, sorted((self.path / "completions").glob("*/*.json")))
        return tuple(completion for completion in found if completion is not None)

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

    def begin(self) -> IO[bytes]:
        """Take the folder for a new run: move what an earlier one left there into a folder beside it.

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
            if left:
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


def _read(path: Path) -> Completion | None:
    """Read one completion; None if it is not there, or is none: somebody else's file must not cost us the report."""
    try:
        return decode(path.read_bytes(), Completion)
    except (FileNotFoundError, ValueError):
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
