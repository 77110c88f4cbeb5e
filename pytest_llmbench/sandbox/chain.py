"""The chain of programs that ends in the first program of a job, up to the proof that it came through.

A set-up that fails looks like any exit status 1; only a message from the first program itself counts as a start.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.sandbox.control import Talk
from pytest_llmbench.sandbox.spawner import Command, spawn

PROOF_S = 30.0
"""Generous, for a loaded machine; takes about 50 ms."""

STOP_S = 20.0
NOISE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Chain:
    """A started chain."""

    process: subprocess.Popen[bytes]
    talk: Talk
    noise_fd: int
    """What the programs of the chain complain about; the candidate's own output goes elsewhere."""

    def proof(self) -> list[int]:
        """Return the descriptors that the first program sends as proof of its start.

        Raises:
            SandboxError: it did not start; the message ends with what was said on the way. The chain is freed.
        """
        self.talk.socket.settimeout(PROOF_S)
        try:
            fds = self.talk.take_proof()
        except TimeoutError:
            fds = None
        if fds is not None:
            return fds
        self.process.kill()
        said = self._noise()
        self.talk.socket.close()
        self.free()
        raise SandboxError(f"the sandbox's first program did not start: {said or 'nothing was said why'}")

    def _noise(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_S)
        os.set_blocking(self.noise_fd, False)
        try:
            return os.read(self.noise_fd, NOISE_BYTES).decode(errors="replace").strip()
        except BlockingIOError:
            return ""

    def free(self) -> None:
        """Wait for the chain's first process and forget the noise."""
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.noise_fd)


def start_chain(argv: Sequence[str], *, pass_fds: Sequence[int] = (), env: Mapping[str, str] | None = None) -> Chain:
    """Start the programs, with the control socket as their standard input.

    Raises:
        SandboxError: the first of them could not be started.
    """
    ours, theirs = socket.socketpair()
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
    return Chain(process, Talk(ours), noise_read)
