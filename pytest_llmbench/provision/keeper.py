"""Keeps one server: starts it, and ends all that it started, even if pytest is killed. A process of its own.

It has the standard library and `family` only. Everything below it stays below it: it adopts what its descendants leave
behind (PR_SET_CHILD_SUBREAPER), so it has no children any more exactly when nothing of the server is left.

It reads lines of JSON, an order and perhaps `{"stop": SECONDS}`, and it writes what it has to tell:
`{"pid"}` or `{"errno", "file"}` once, `{"status"}` when the server's first process has ended (negative: by that
signal), `{"peak"}` in bytes as it grows, and `{"strays"}`, number and start of those that have left its session. The end
of its standard input means that nobody needs the server any more.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pytest_llmbench.provision.family import Peak, children, descendants

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LEFTOVER_S = 3.0
"""How long what the server left behind has after SIGTERM: its owner is gone, nothing useful can come of it."""
KILL_EVERY_S = 0.1
KILL_SLOWEST_S = 2.0
"""What does not end of SIGKILL at once waits for a driver, or belongs to another user."""
FIRST_LOOK_S, LOOK_EVERY_S = 0.1, 1.0
IDLE_FACTOR = 100
"""Looking at memory takes one part of so many of a core at most; the machine is being measured."""
MOST_STRAYS = 100
"""So that what is told fits into a pipe in one piece (PIPE_BUF)."""
ORDERS, TOLD = 0, 1

_libc = ctypes.CDLL(None)


class Keeper:
    """The server's life, from its start to the end of its last descendant."""

    def __init__(self, order: dict[str, Any], parent_fd: int) -> None:
        """Start the server.

        Args:
            order: argv, env, folder (empty: ours), stop_timeout_s.
            parent_fd: pidfd of the process that we serve.

        Raises:
            OSError: it cannot be started.
        """
        self._stop_timeout_s: float = order["stop_timeout_s"]
        self._deadline_s: float | None = None
        self._kill_every_s = KILL_EVERY_S
        self._alone = self._ended = self._told_to_end = False
        self._peak = Peak()
        self._strays: list[tuple[int, int]] = []
        self._unread = b""
        self._poll = select.poll()
        self._wake_fd, woken_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(woken_fd, warn_on_full_buffer=False)
        keeper = os.getpid()

        def die_with_keeper() -> None:
            # The last resort, should somebody kill -9 us.
            _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
            if os.getppid() != keeper:
                os._exit(1)

        try:
            # Kept, as the end of this object would wait for a process that has ended, and eat its status.
            self._server = subprocess.Popen(  # noqa: S603 - the user's own words
                order["argv"],
                env=order["env"],
                cwd=order["folder"] or None,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
                stderr=sys.stderr,
                process_group=0,
                preexec_fn=die_with_keeper,  # noqa: PLW1509 - there are no threads here
            )
        except ValueError as error:  # a NUL in a word
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), order["argv"][0]) from error
        self._pid = self._server.pid
        _tell(pid=self._pid)
        self._poll.register(ORDERS, select.POLLIN)
        self._poll.register(self._wake_fd, select.POLLIN)
        # The end of our input is not enough: a process that the parent forked may hold it open.
        self._poll.register(parent_fd, select.POLLIN)
        self._parent_fd = parent_fd

    def keep(self) -> None:
        """Return when nothing is left."""
        next_look_s = time.monotonic() + FIRST_LOOK_S
        while not self._alone:
            ready = [fd for fd, _ in self._poll.poll(1000 * max(0.0, self._next_s(next_look_s) - time.monotonic()))]
            self._heed(ready)
            self._reap()
            now_s = time.monotonic()
            if self._deadline_s is not None and now_s >= self._deadline_s:
                for pid in children():
                    _signal(os.kill, pid, signal.SIGKILL)
                self._reap()
                self._kill_every_s = min(KILL_SLOWEST_S, 2 * self._kill_every_s)
            elif now_s >= next_look_s:
                self._look()
                next_look_s = now_s + max(LOOK_EVERY_S, IDLE_FACTOR * (time.monotonic() - now_s))

    def on_term(self, *_: object) -> None:
        """Somebody asks us, not the server, to end."""
        self._told_to_end = True  # and no more here: this may be in the middle of anything

    def _next_s(self, next_look_s: float) -> float:
        if self._deadline_s is None:
            return next_look_s
        return self._deadline_s if self._deadline_s > time.monotonic() else time.monotonic() + self._kill_every_s

    def _heed(self, ready: list[int]) -> None:
        if self._wake_fd in ready:
            with suppress(BlockingIOError):
                os.read(self._wake_fd, 4096)
        if self._told_to_end:
            self._told_to_end = False
            self._end(self._stop_timeout_s)
        if self._parent_fd in ready:
            self._poll.unregister(self._parent_fd)
            self._end(self._stop_timeout_s)
        if ORDERS in ready:
            data = os.read(ORDERS, 65536)
            if not data:
                self._poll.unregister(ORDERS)
                self._end(self._stop_timeout_s)
            *lines, self._unread = (self._unread + data).split(b"\n")
            for line in lines:
                self._end(json.loads(line)["stop"])

    def _end(self, grace_s: float) -> None:
        """Ask everything to end; what has not after that time is killed."""
        if not self._ended and self._deadline_s is None:
            self._look()
        deadline_s = time.monotonic() + grace_s
        self._deadline_s = deadline_s if self._deadline_s is None else min(self._deadline_s, deadline_s)
        if not self._ended:
            _signal(os.killpg, self._pid, signal.SIGTERM)

    def _look(self) -> None:
        below = descendants()
        if self._peak.has_grown(below):
            _tell(peak=self._peak.bytes)
        # Should somebody kill -9 us, those of our session are found by it, these by what we said.
        session = os.getsid(0)
        strays = sorted((pid, found.started) for pid, found in below.items() if found.session != session)[:MOST_STRAYS]
        if strays != self._strays:
            self._strays = strays
            _tell(strays=strays)

    def _reap(self) -> None:
        while True:
            try:
                dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                self._alone = True
                return
            if dead is None:
                return
            if dead.si_pid == self._pid:
                # Before it is waited for: until then its number, and so its group's, is nobody else's.
                self._end(LEFTOVER_S)
                self._ended = True
                _tell(status=dead.si_status if dead.si_code == os.CLD_EXITED else -dead.si_status)
            os.waitpid(dead.si_pid, 0)
            if dead.si_pid == self._pid:
                for pid in children():  # what it left in other groups
                    _signal(os.kill, pid, signal.SIGTERM)


def _signal(send: Callable[[int, int], None], pid: int, signum: int) -> None:
    # Nobody there, or a server that somebody else's rights protect: the loop asks again.
    with suppress(ProcessLookupError, PermissionError):
        send(pid, signum)


def _tell(**words: object) -> None:
    # Nobody may listen any more.
    with suppress(BrokenPipeError, BlockingIOError):
        os.write(TOLD, json.dumps(words).encode() + b"\n")


def _order() -> dict[str, Any]:
    line = b""
    while not line.endswith(b"\n"):
        if not (data := os.read(ORDERS, 65536)):
            sys.exit(0)  # whoever wanted a server is gone
        line += data
    order: dict[str, Any] = json.loads(line)
    return order


def _watch(pid: int) -> int | None:
    """Return a descriptor that becomes readable when our parent ends; None if it has."""
    with suppress(ProcessLookupError):
        fd = os.pidfd_open(pid)
        if os.getppid() == pid:
            return fd
        os.close(fd)
    return None


def main() -> None:
    """Do as ordered on the standard input."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # Handlers, as what is merely ignored would stay so in the server.
    for signum in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(signum, lambda *_: None)
    os.set_blocking(TOLD, False)
    order = _order()
    parent_fd = _watch(order["parent"])
    if parent_fd is None:
        return
    try:
        keeper = Keeper(order, parent_fd)
    except OSError as error:
        _tell(errno=error.errno, file=error.filename)
        return
    signal.signal(signal.SIGTERM, keeper.on_term)
    keeper.keep()
