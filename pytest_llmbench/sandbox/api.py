"""What a judge may ask of a sandbox, whichever kind it is.

A judge starts a `Job`, looks at it from outside through the `Process`, and may send a trusted program into the
candidate's network namespace (`Process.drive`). Nothing that comes out of a sandbox is a verdict: exit status, output,
files and messages are observations, and the test outside decides.
"""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pytest_llmbench.model.check import SandboxUse

MIB = 1024 * 1024

PYTHON = "{python}"
"""In `Job.argv`: stands for the interpreter inside the sandbox."""

WORK = "/work"
"""Where the candidate's files lie inside bubblewrap; `{work}` in `Job.argv` and `Job.env` stands for the real place."""

_SIGNAL_NAMES = {int(known): known.name for known in signal.Signals}

CHANNEL_FD = 3
"""Inside, the number of the candidate's end of `Process.channel`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds for one job; every process of the job counts."""

    wall_s: float = 60.0
    """The job is killed after this time, whatever it does."""
    cpu_s: int = 60
    memory_bytes: int = 256 * MIB
    """Proportional set size of all processes together, private and shared memory."""
    processes: int = 64
    """Processes and threads."""
    open_files: int = 128
    disk_bytes: int = 64 * MIB
    """For each writable file system: the working folder, /tmp, /dev/shm."""
    output_bytes: int = 1 * MIB
    """Kept of stdout and stderr together; what comes after is dropped and counted."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to run."""

    argv: Sequence[str]
    """`{python}`, `{work}` and `{trusted}` inside an item are replaced by the real places."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Relative path -> content, put into the working folder before the start. Names were checked by `answers`."""
    executable: frozenset[str] = frozenset()
    """Which of the files get the x bit."""
    trusted: Mapping[str, bytes] = field(default_factory=dict)
    """Files of the judge, put read-only into a folder of their own (`{trusted}`). The candidate can read them."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The whole environment besides PATH, HOME, LANG, TMPDIR, PYTHONDONTWRITEBYTECODE and, for `distributions`,
    PYTHONPATH."""
    distributions: Sequence[str] = ()
    """Names of installed distributions whose files are importable inside, such as `pyzmq`."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Exit:
    """How the candidate's first process ended, as told from inside."""

    status: int | None
    """Exit status; None if killed by a signal or by us."""
    signal: int | None
    """Signal that ended it; None if it exited."""
    limit: str | None
    """The limit that we enforced: `wall`, `memory`, `output` …; None if it ended by itself."""
    wall_s: float

    @property
    def how(self) -> str:
        """In words, to stand behind `ended`."""
        if self.limit is not None:
            return f"at its {self.limit} limit"
        if self.signal is None:
            return f"with status {self.status}"
        # Real-time signals have numbers only.
        return f"by {_SIGNAL_NAMES.get(self.signal, f'signal {self.signal}')}"


@dataclass(frozen=True, slots=True)
class Task:
    """One thread of the job, as the kernel shows it from outside; the job cannot hide one."""

    pid: int
    """Process id in the grader's pid namespace."""
    tid: int
    comm: str
    """Thread name; the job may choose it."""


def activity(tasks: Sequence[Task]) -> tuple[str, ...] | None:
    """Return what changes whenever one of these threads runs; None if one runs right now, or has just ended."""
    seen = []
    for task in tasks:
        try:
            status = Path(f"/proc/{task.pid}/task/{task.tid}/status").read_text("utf-8", "replace")
        except OSError:
            return None
        if "\nState:\tS" not in status:
            return None
        seen.append(f"{task.tid} {status[status.find('voluntary_ctxt_switches') :]}")
    return tuple(seen)


class Driver(ABC):
    """A trusted program in the candidate's network namespace, outside its pid and mount namespaces.

    It talks to the judge in JSON values, one a line; see `pytest_llmbench.sandbox.driver` for its side.
    """

    @abstractmethod
    def send(self, value: Any) -> None:
        """Send one JSON value to the driver."""

    @abstractmethod
    def receive(self, timeout_s: float) -> Any:
        """Return the driver's next JSON value.

        Raises:
            TimeoutError: nothing came in time.
            GraderError: the driver died; the message quotes the end of its stderr.
            SandboxError: it could not get into the candidate's network namespace.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop the driver. Idempotent; `Process.close` does it too."""


class Process(ABC):
    """A running job. Closing it kills everything that it started and frees everything that it held."""

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Write to the candidate's channel (fd 3 inside, a stream socket). A closed channel is not an error."""

    @abstractmethod
    def receive_line(self, timeout_s: float, max_bytes: int = 1 * MIB) -> bytes | None:
        """Return the next line from the channel without its newline, or None at its end.

        Raises:
            TimeoutError: no whole line came in time.
            AnswerFault: a line longer than `max_bytes`.
        """

    def has_unread(self) -> bool:
        """Whether the candidate said something on the channel that was not received yet, or closed it."""
        return False

    @abstractmethod
    def wait(self, timeout_s: float) -> Exit:
        """Wait for the candidate's first process.

        Raises:
            TimeoutError: it still runs.
        """

    @abstractmethod
    def signal(self, signum: int) -> None:
        """Send a signal to the candidate's first process; no error if it has ended."""

    @abstractmethod
    def tasks(self) -> tuple[Task, ...]:
        """All threads of the candidate's processes (the sandbox's own left out), seen from outside."""

    @abstractmethod
    def output(self) -> tuple[bytes, bytes]:
        """What stdout and stderr held so far, bounded by `Limits.output_bytes`."""

    def last_words(self, chars: int = 300) -> str:
        """Return the end of stderr on one line, for the message of a fault; empty if it said nothing."""
        return " ".join(self.output()[1].decode("utf-8", "replace").split())[-chars:]

    def activity(self) -> tuple[str, ...] | None:
        """Return what changes whenever a thread of the job runs; None if one runs right now.

        Twice the same, with time in between, means that all of them wait for something from outside.
        """
        return activity(self.tasks())

    @property
    def dropped_output_bytes(self) -> int:
        """How much of stdout and stderr came after `Limits.output_bytes` and was dropped."""
        return 0

    @abstractmethod
    def collect(self, path: str, max_bytes: int = 16 * MIB) -> bytes | None:
        """Return the bytes of a file in the working folder; None if there is none. Valid until `close`.

        Raises:
            AnswerFault: it is no plain file (link, FIFO, socket, device), lies elsewhere, or is too big.
        """

    @abstractmethod
    def drive(self, script: Path, *args: str) -> Driver:
        """Start `script` with the grader's own interpreter in the candidate's network namespace."""

    @abstractmethod
    def close(self) -> None:
        """Kill the job by its init, wait until all is gone. Idempotent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Sandbox(ABC):
    """A way to run untrusted code."""

    @property
    @abstractmethod
    def use(self) -> SandboxUse:
        """Kind and limits in force, for the records."""

    @abstractmethod
    def start(self, job: Job) -> Process:
        """Start a job; returns after the start proof, before the candidate's first instruction need have run.

        Raises:
            SandboxError: the sandbox could not be built; never the candidate's fault.
        """

    def close(self) -> None:  # noqa: B027 - a kind that holds nothing between jobs has nothing to free
        """Free what the sandbox holds between jobs. Idempotent."""
