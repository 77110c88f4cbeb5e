"""Starts child processes from a thread that lives as long as this process.

"Die with the parent" (PR_SET_PDEATHSIG) means the parent *thread*: a child started from a short-lived thread of a test
runner would be killed when that thread ends.
"""

from __future__ import annotations

import os
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Command:
    """What `subprocess.Popen` needs to know."""

    argv: Sequence[str]
    stdin: int
    stdout: int
    stderr: int
    pass_fds: Sequence[int] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"


_lock = threading.Lock()
_wanted: queue.SimpleQueue[tuple[Command, Future[subprocess.Popen[bytes]]]] = queue.SimpleQueue()
_owner: int | None = None
"""Process id for which the thread was started; a fork does not inherit threads."""


def spawn(command: Command) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own.

    Raises:
        OSError: it could not be started.
    """
    global _owner, _wanted  # noqa: PLW0603 - one thread for each process is the point
    with _lock:
        if _owner != os.getpid():
            _wanted = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(_wanted,), name="llmbench-spawner", daemon=True).start()
            _owner = os.getpid()
    started: Future[subprocess.Popen[bytes]] = Future()
    _wanted.put((command, started))
    return started.result()


def _serve(wanted: queue.SimpleQueue[tuple[Command, Future[subprocess.Popen[bytes]]]]) -> None:
    while True:
        command, started = wanted.get()
        try:
            started.set_result(_popen(command))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
            started.set_exception(error)
        del command, started


def _popen(command: Command) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - argv is ours, no shell
        list(command.argv),
        stdin=command.stdin,
        stdout=command.stdout,
        stderr=command.stderr,
        pass_fds=tuple(command.pass_fds),
        env=dict(command.env),
        cwd=command.cwd,
        start_new_session=True,
    )
