"""One running job: a thread of ours reads its output, enforces its limits and hears how it ends."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_llmbench.errors import AnswerFault, GraderError, SandboxError
from pytest_llmbench.sandbox import collector, watchdog
from pytest_llmbench.sandbox.api import MIB, Driver, Exit, Job, Limits, Process, Task
from pytest_llmbench.sandbox.channel import Channel
from pytest_llmbench.sandbox.control import Order, Talk
from pytest_llmbench.sandbox.driving import start_driver
from pytest_llmbench.sandbox.output import Output

START_S = 30.0
"""Between the order and the candidate's start; generous, for a loaded machine."""

CLOSE_S = 20.0


@dataclass(slots=True)
class Cage:
    """A started first program that has proved its start, and how to end it; each kind of sandbox makes one."""

    talk: Talk
    init_pid: int
    """The first program in the grader's pid namespace."""
    init_pidfd: int
    work_fd: int
    """The working folder; stays valid after the end of the job."""
    population: watchdog.Population
    netns_fd: int | None
    """The network namespace, or None if it is the grader's own."""
    volume_fds: Sequence[int]
    kill: Callable[[], None]
    """Kills everything inside; called more than once."""
    free: Callable[[], None]
    """Waits for what `kill` left and frees it; called once, last."""
    out_of_memory: Callable[[], bool] = field(default=lambda: False)
    """Whether the kernel killed for the cgroup's memory limit."""


class CagedProcess(Process):
    """A job in a cage."""

    def __init__(self, cage: Cage, job: Job, order: Order) -> None:
        self._cage = cage
        self._limits: Limits = job.limits
        self._changed = threading.Condition()
        self._exit: Exit | None = None
        self._breach: str | None = None
        self._began_s = 0.0
        self._drivers: list[Driver] = []
        self._closing = threading.Lock()
        self._closed = False
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        self._output = Output(self._limits.output_bytes)
        try:
            self._hand_over(order, theirs)
        except BaseException:
            self._end_without_start(theirs)
            raise
        self._broken: BaseException | None = None
        self._supervisor = threading.Thread(target=self._guarded_supervise, name="llmbench-supervisor", daemon=True)
        self._supervisor.start()

    def _hand_over(self, order: Order, theirs: socket.socket) -> None:
        talk = self._cage.talk
        talk.socket.settimeout(START_S)
        try:
            talk.send_order(order, (theirs.fileno(), *self._output.write_fds))
            theirs.close()
            self._output.close_write_ends()
            while not (answers := talk.receive()):
                if answers is None:
                    raise SandboxError("the sandbox's first program ended before it could start the candidate")
        except TimeoutError as error:
            raise SandboxError(f"the candidate was not started within {START_S:.0f} s") from error
        except ConnectionError as error:
            raise SandboxError("the sandbox's first program ended before it could start the candidate") from error
        if "refused" in answers[0]:
            raise AnswerFault(f"the answer's files cannot be written: {answers[0]['refused']}")
        self._began_s = time.monotonic()
        self._early = answers[1:]
        talk.socket.settimeout(None)

    def _end_without_start(self, theirs: socket.socket) -> None:
        self._closed = True
        theirs.close()
        self._output.close_write_ends()
        self._output.close()
        self._channel.close()
        self._cage.kill()
        self._free()

    # What the judge asks for

    def send(self, data: bytes) -> None:
        """See `Process.send`."""
        self._channel.send(data)

    def receive_line(self, timeout_s: float, max_bytes: int = 1 * MIB) -> bytes | None:
        """See `Process.receive_line`."""
        return self._channel.receive_line(timeout_s, max_bytes)

    def has_unread(self) -> bool:
        """Whether the candidate said something on the channel that was not received yet, or closed it."""
        return self._channel.has_more()

    def wait(self, timeout_s: float) -> Exit:
        """See `Process.wait`."""
        with self._changed:
            self._changed.wait_for(lambda: self._exit or self._broken, timeout_s)
            if self._exit is not None:
                return self._exit
            if self._broken is not None:
                raise SandboxError(f"a job's supervision failed: {self._broken!r}") from self._broken
            raise TimeoutError(f"the candidate still runs after {timeout_s:g} s")

    def signal(self, signum: int) -> None:
        """See `Process.signal`."""
        if not self._closed:
            self._cage.talk.send_signal(signum)

    def tasks(self) -> tuple[Task, ...]:
        """See `Process.tasks`."""
        return () if self._over() else watchdog.tasks_below(self._cage.init_pid)

    def output(self) -> tuple[bytes, bytes]:
        """See `Process.output`."""
        return self._output.held()

    @property
    def dropped_output_bytes(self) -> int:
        """See `Process.dropped_output_bytes`."""
        return self._output.dropped_bytes

    def collect(self, path: str, max_bytes: int = 16 * MIB) -> bytes | None:
        """See `Process.collect`."""
        if self._closed:
            raise GraderError(f"collect({path!r}) came after close")
        return collector.collect(self._cage.work_fd, path, max_bytes)

    def drive(self, script: Path, *args: str) -> Driver:
        """See `Process.drive`."""
        driver = start_driver(script, args, self._cage.netns_fd)
        self._drivers.append(driver)
        return driver

    def close(self) -> None:
        """See `Process.close`."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            for driver in self._drivers:
                driver.close()
            self._cage.kill()
            self._supervisor.join(CLOSE_S)
            stuck = self._supervisor.is_alive()
            self._channel.close()
            if stuck:
                raise SandboxError(f"the job's processes are still there {CLOSE_S:.0f} s after SIGKILL")
            self._output.close()
            self._free()

    def _over(self) -> bool:
        """Whether the first program has ended, so that its process id may be somebody else's by now."""
        poll = select.poll()
        with self._closing:
            if self._closed:
                return True
            poll.register(self._cage.init_pidfd, select.POLLIN)
            return bool(poll.poll(0))

    def _free(self) -> None:
        cage = self._cage
        cage.talk.socket.close()
        cage.free()
        for fd in {cage.init_pidfd, cage.work_fd, cage.population.proc_fd, *cage.volume_fds}:
            os.close(fd)
        if cage.netns_fd is not None:
            os.close(cage.netns_fd)

    # The supervisor's thread

    def _guarded_supervise(self) -> None:
        try:
            self._supervise()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            self._cage.kill()
            with self._changed:
                self._broken = error
                self._changed.notify_all()

    def _supervise(self) -> None:
        poll = select.poll()
        for fd in (self._cage.talk.socket.fileno(), self._cage.init_pidfd, *self._output.read_fds):
            poll.register(fd, select.POLLIN)
        talking = True
        for message in self._early:
            self._note_end(message)
        next_look_s = 0.0
        while True:
            ready = [fd for fd, _ in poll.poll(1000 * max(0.0, next_look_s - time.monotonic()))]
            for fd in self._output.read_ready(ready):
                poll.unregister(fd)
            if talking and self._cage.talk.socket.fileno() in ready:
                talking = self._hear()
                if not talking:
                    poll.unregister(self._cage.talk.socket)
            if self._cage.init_pidfd in ready:
                break
            if time.monotonic() >= next_look_s:
                spent_s = self._look()
                # never more than a fifth of a core, however many processes there are to look at
                next_look_s = time.monotonic() + max(watchdog.PERIOD_S, 4 * spent_s)
        if talking:
            self._hear()
        self._note_end({"status": None, "signal": int(signal.SIGKILL)})

    def _hear(self) -> bool:
        messages = self._cage.talk.receive()
        for message in messages or ():
            self._note_end(message)
        return messages is not None

    def _note_end(self, message: dict[str, Any]) -> None:
        if "status" not in message:
            return
        self._output.drain()
        with self._changed:
            if self._exit is not None:
                return
            limit = self._breach or self._limit_of(message)
            self._exit = Exit(message["status"], message["signal"], limit, time.monotonic() - self._began_s)
            self._changed.notify_all()

    def _limit_of(self, message: dict[str, Any]) -> str | None:
        by_signal = {int(signal.SIGXCPU): "cpu", int(signal.SIGXFSZ): "disk"}
        limit = by_signal.get(message["signal"])
        if limit is None and message["signal"] == signal.SIGKILL:
            if message.get("cpu_s", 0.0) >= self._limits.cpu_s:
                return "cpu"
            if self._cage.out_of_memory():
                return "memory"
        return limit

    def _look(self) -> float:
        """Enforce what can only be seen from outside; return how long it took in seconds."""
        began_s = time.monotonic()
        if self._breach is None:
            if began_s - self._began_s > self._limits.wall_s:
                self._breach = "wall"
            elif self._output.flooded:
                self._breach = "output"
            else:
                found = watchdog.find_breach(self._cage.population, self._cage.volume_fds, self._limits)
                self._breach = found.limit if found else None
        if self._breach is not None:
            self._cage.kill()
        return time.monotonic() - began_s
