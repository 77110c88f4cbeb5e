"""One server process with everything that it starts."""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from pytest_llmbench.model.serving import STOP_TIMEOUT_S
from pytest_llmbench.provision.family import processes

KILL_WITHIN_S = 60.0
"""How long after SIGKILL we wait; what hangs in a driver for longer may hang for ever."""

_HOME = str(Path(__file__).parents[2])
_KEEPER = "import sys; sys.path.append(sys.argv[1]); from pytest_llmbench.provision.keeper import main; main()"
"""With nothing of site-packages on the path but us: it is to start quickly, and to depend on nobody's environment."""
_KEEPER_KILLED = "its keeper was killed"


class ServerProcess:
    """A server in a process group of its own; nothing of it outlives us.

    Between it and us stands its keeper, a process that ends all of it also when we cannot: see `provision.keeper`.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        folder: str,
        log: Path,
        stop_timeout_s: float = STOP_TIMEOUT_S,
    ) -> None:
        """Start it.

        Args:
            argv: its words.
            env: its whole environment.
            folder: to start in; empty for ours.
            log: file that takes what it prints, made anew.
            stop_timeout_s: from SIGTERM to SIGKILL when we die before we can stop it.

        Raises:
            OSError: the program cannot be started; `filename` is what was not found or not fit.
        """
        self._said: dict[str, Any] = {}
        self._unread = b""
        self._reading = threading.Lock()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            self._keeper = subprocess.Popen(  # noqa: S603 - our own program
                # The log's name is for those who read `ps`.
                [sys.executable, "-I", "-S", "-B", "-c", _KEEPER, _HOME, str(log)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                bufsize=0,
                start_new_session=True,
            )
        assert self._keeper.stdin is not None  # noqa: S101 - for the type checker
        assert self._keeper.stdout is not None  # noqa: S101 - for the type checker
        self._orders, self._told = self._keeper.stdin, self._keeper.stdout
        os.set_blocking(self._told.fileno(), False)
        order = {
            "argv": list(argv),
            "env": dict(env),
            "folder": folder,
            "stop_timeout_s": stop_timeout_s,
            "parent": os.getpid(),
        }
        try:
            self._order(order)
            self.pid = self._started()
        except BaseException:
            self._close()
            raise

    def _started(self) -> int:
        while self._hear(None):
            if "pid" in self._said:
                return int(self._said["pid"])
        number = self._said.get("errno")
        if number is None:
            raise ChildProcessError(errno.ECHILD, _KEEPER_KILLED)
        raise OSError(number, os.strerror(number), self._said.get("file"))

    @property
    def ended(self) -> str | None:
        """How it ended, such as `exit status 1` or `SIGKILL`; None while it runs."""
        alive = self._hear(0.0)
        status = self._said.get("status")
        if status is None:
            return None if alive else _KEEPER_KILLED
        return f"exit status {status}" if status >= 0 else _signal_name(-status)

    @property
    def memory_peak_bytes(self) -> int | None:
        """Most memory that it and all that it started held together so far; None if it was too short to see.

        Pages that several processes share count once.
        """
        self._hear(0.0)
        return self._said.get("peak")

    def stop(self, timeout_s: float) -> str | None:
        """End it and all that it started; return when nothing is left. May be called again.

        Args:
            timeout_s: from SIGTERM to SIGKILL.

        Returns:
            One line about what even SIGKILL did not end within a minute, as a rule None.
        """
        self._order({"stop": timeout_s})
        deadline_s = time.monotonic() + timeout_s + KILL_WITHIN_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            if not self._hear(left_s):
                self._close()
                return None
        return f"SIGKILL did not end {_names_below(self._keeper.pid)}"

    def kill(self) -> None:
        """Leave it no more time to end; from any thread. `stop` returns the sooner."""
        self._order({"stop": 0.0})

    def _order(self, order: Mapping[str, Any]) -> None:
        with suppress(BrokenPipeError, ValueError):  # it has ended, or been closed
            left = json.dumps(order).encode() + b"\n"
            while left:
                left = left[self._orders.write(left) or 0 :]

    def _hear(self, timeout_s: float | None) -> bool:
        """Wait until the keeper says something, and take it in; return whether it still lives.

        Args:
            timeout_s: None for as long as it takes.
        """
        if self._told.closed:
            return False
        poll = select.poll()
        poll.register(self._told, select.POLLIN)
        if not poll.poll(None if timeout_s is None else 1000 * timeout_s):
            return True
        with self._reading:
            data = b"" if self._told.closed else self._told.read(65536)
            if data is None:  # another thread took it
                return True
            *lines, self._unread = (self._unread + data).split(b"\n")
            for line in lines:
                self._said |= json.loads(line)
        return bool(data)

    def _close(self) -> None:
        """Let the keeper go, which then ends whatever is left; wait for it if it is on its way."""
        self._orders.close()
        while self._hear(None):
            pass
        self._told.close()
        if self._keeper.wait() < 0 and "pid" in self._said:
            # Somebody killed it. The server's first process died with it, the others may not have.
            _kill_orphans(self._keeper.pid, self._said.get("strays", ()))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _kill_orphans(session: int, strays: Sequence[Sequence[int]]) -> None:
    """Kill all that a keeper leaves that was killed itself.

    Args:
        session: the keeper's own, in which the server is, too.
        strays: number and start of those that had left that session.
    """
    found = processes()
    known = [found[pid].session for pid, started in strays if pid in found and found[pid].started == started]
    sessions = {session, *known} - {0}  # which would be the kernel's
    killed: set[int] = set()
    # They may start others until they are dead.
    while left := {pid for pid, process in processes().items() if process.session in sessions} - killed:
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        killed |= left


def _names_below(pid: int) -> str:
    try:
        left = psutil.Process(pid).children(recursive=True)
        return ", ".join(f"{process.name()} (pid {process.pid})" for process in left)
    except psutil.Error:
        return "what it started"
