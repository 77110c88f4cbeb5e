"""What a command costs: the CPU time of all its processes, those included that it leaves behind.

    python -m benchmarks.peers.metering RESULT COMMAND...

runs the command and writes its exit status, wall time and CPU time to RESULT. It is a process of its own because only what
a process waited for counts for it, and the orphans of the command are to come to nobody else.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

TIMEOUT_S = 600.0
_PR_SET_CHILD_SUBREAPER = 36
_LEAVE_S = 15.0
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one command."""

    status: int
    """As from `subprocess`."""
    wall_s: float
    cpu_s: float
    """User and system time of all its processes."""


def metered(command: list[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command from the project's root; its stdout and stderr go to files of these names in the folder."""
    result = folder / "cost.json"
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        subprocess.run(
            [sys.executable, "-m", "benchmarks.peers.metering", str(result), *command],
            cwd=_ROOT,
            env={**environment, "PYTHONPATH": ""},
            stdout=out,
            stderr=err,
            check=True,
        )
    return Cost(**json.loads(result.read_text()))


def main() -> None:
    """Run the command line's command."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    began_s = time.monotonic()
    with subprocess.Popen(sys.argv[2:], start_new_session=True) as process:
        try:
            status = process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
        wall_s = time.monotonic() - began_s
        _wait_for_orphans()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    Path(sys.argv[1]).write_text(json.dumps(asdict(Cost(status, wall_s, used.ru_utime + used.ru_stime))))


def _wait_for_orphans() -> None:
    give_up_s = time.monotonic() + _LEAVE_S
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            if time.monotonic() > give_up_s:
                for orphan in Path("/proc/self/task", str(os.getpid()), "children").read_text().split():
                    os.kill(int(orphan), signal.SIGKILL)
            time.sleep(0.01)


if __name__ == "__main__":
    main()
