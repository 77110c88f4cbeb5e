"""Runs code as plain processes: no isolation at all, for those who asked for just that."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.model.check import SandboxUse
from pytest_llmbench.sandbox import distributions, first, jobs, layout
from pytest_llmbench.sandbox.api import Job, Process, Sandbox
from pytest_llmbench.sandbox.chain import Chain, start_chain
from pytest_llmbench.sandbox.process import Cage, CagedProcess
from pytest_llmbench.sandbox.watchdog import TreePopulation, descendants

IN_FORCE = ("wall", "output", "rlimits", "pss-watchdog")


@dataclass(frozen=True, slots=True)
class UnsandboxedSandbox(Sandbox):
    """Same protocol, no walls; the candidate can read and write whatever its user can."""

    @property
    def use(self) -> SandboxUse:
        """See `Sandbox.use`."""
        return SandboxUse("none", IN_FORCE)

    def start(self, job: Job) -> Process:
        """See `Sandbox.start`."""
        folder = tempfile.TemporaryDirectory(prefix="llmbench-", ignore_cleanup_errors=True)
        try:
            root = Path(folder.name)
            for name in ("work", "trusted", "tmp"):
                (root / name).mkdir()
            places = jobs.Places(
                python=sys.executable,
                work=str(root / "work"),
                trusted=str(root / "trusted"),
                path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
                temporary=str(root / "tmp"),
                distributions=os.pathsep.join(distributions.folders(job.distributions)) or None,
            )
            order = jobs.order(job, places, layout.rlimits(job.limits, extra_processes=None))
            for name, data in job.trusted.items():
                (root / "trusted" / name).write_bytes(data)
            cage = _cage(root / "work", folder.cleanup)
        except BaseException:
            folder.cleanup()
            raise
        return CagedProcess(cage, job, order)


def _cage(work: Path, cleanup: Callable[[], None]) -> Cage:
    python = sys.executable
    chain = start_chain([python, "-I", "-S", "-E", "-B", first.__file__, "subreaper", str(work)])
    work_fd, proc_fd = chain.proof().fds
    pid = chain.process.pid

    def free() -> None:
        chain.free()
        cleanup()

    return Cage(
        talk=chain.talk,
        init_pid=pid,
        init_pidfd=os.pidfd_open(pid),
        work_fd=work_fd,
        population=TreePopulation(proc_fd, pid),
        netns_fd=None,
        volume_fds=(),
        kill=lambda: _kill(chain),
        free=free,
    )


def _kill(chain: Chain) -> None:
    """Stop the tree from its leaves: its root takes in the orphans and ends when it has none left."""
    for pid in descendants(chain.process.pid):
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    with suppress(OSError):
        chain.talk.socket.shutdown(1)  # the end of what we say; what it says can still be read


def open_kind() -> Sandbox:
    """Return the sandbox that is none."""
    return UnsandboxedSandbox()
