"""The chain of programs that ends in the first program of a job, up to the proof that it came through.

A set-up that fails looks like any exit status 1; only a message from the first program itself counts as a start.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.control import Proof, Talk
from pytest_llmbench.sandbox.spawner import Command, spawn

PROOF_S = 30.0
"""Generous, for a loaded machine; takes about 50 ms."""

STOP_S = 20.0
NOISE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Chain:
    """A started chain.

    Its lifeline is the control socket: when the grader's end is gone, by close or by the grader's death, the first
    program ends, and so does everything else.
    """

    process: subprocess.Popen[bytes]
    talk: Talk
    noise_fd: int
    """What the programs of the chain complain about; the candidate's own output goes elsewhere."""
    socket_inode: int
    """Of the chain's end, by which its members can be told."""

    def proof(self) -> Proof:
        """Return the first program's proof of its start.

        Raises:
            SandboxError: it did not start; the message ends with what was said on the way. The chain is freed.
        """
        if self._talks_in_time():
            proof = self.talk.take_proof()
            if proof is not None:
                return proof
        self.talk.socket.close()
        # bubblewrap, when it fails or is killed at the wrong moment, leaves a clone of itself that waits for ever
        self._kill_members()
        self._end()
        said = self._noise()
        os.close(self.noise_fd)
        raise SandboxError(f"the sandbox's first program did not start: {said or 'nothing was said why'}")

    def _talks_in_time(self) -> bool:
        """Wait until there is something to hear, or until the chain's first process has ended."""
        end_fd = os.pidfd_open(self.process.pid)
        try:
            poll = select.poll()
            poll.register(end_fd, select.POLLIN)
            poll.register(self.talk.socket, select.POLLIN)
            return self.talk.socket.fileno() in dict(poll.poll(1000 * PROOF_S))
        finally:
            os.close(end_fd)

    def give_up(self, proof: Proof) -> None:
        """End a chain that has proved its start but is of no use."""
        self.talk.socket.close()
        self.free()
        for fd in proof.fds:
            os.close(fd)

    def free(self) -> None:
        """Wait for the chain's first process and forget the noise."""
        self._end()
        os.close(self.noise_fd)

    def _end(self) -> None:
        """Wait for the chain, which has lost its lifeline; kill what is left of it if that takes too long."""
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._kill_members()
            self.process.kill()
            self.process.wait()

    def _kill_members(self) -> None:
        for pid in _holders(self.socket_inode):
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def _noise(self) -> str:
        os.set_blocking(self.noise_fd, False)
        try:
            return os.read(self.noise_fd, NOISE_BYTES).decode(errors="replace").strip()
        except BlockingIOError:
            return ""


def start_chain(argv: Sequence[str], *, pass_fds: Sequence[int] = (), env: Mapping[str, str] | None = None) -> Chain:
    """Start the programs, with the control socket as their standard input.

    Raises:
        SandboxError: the first of them could not be started.
    """
    ours, theirs = socket.socketpair()
    _lifelines.add(ours)
    # By this the kernel itself tells who sends a message, in our own process numbers.
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    inode = os.fstat(theirs.fileno()).st_ino
    noise_read, noise_write = os.pipe()
    try:
        process = spawn(Command(argv, theirs.fileno(), noise_write, noise_write, pass_fds, env or {}))
    except OSError as error:
        ours.close()
        os.close(noise_read)
        raise SandboxError(f"the sandbox cannot be started: {error}") from error
    finally:
        theirs.close()
        os.close(noise_write)
    return Chain(process, Talk(ours), noise_read, inode)


def _holders(socket_inode: int) -> list[int]:
    """Return the processes that have the socket as their standard input."""
    wanted = Path(f"socket:[{socket_inode}]")
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "fd/0").readlink() == wanted:
                found.append(int(folder.name))
    return found


_lifelines: weakref.WeakSet[socket.socket] = weakref.WeakSet()


def _let_go() -> None:
    """Close the lifelines in a forked child: as a copy of the grader it must not keep alive what died with it."""
    for line in tuple(_lifelines):
        line.close()


os.register_at_fork(after_in_child=_let_go)
