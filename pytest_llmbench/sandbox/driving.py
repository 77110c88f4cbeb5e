"""The judge's side of a driver: starts it, talks with it in JSON lines, stops it."""

# Descriptors, links and process entries are what this is about; pathlib hides them and is slow to import.
# ruff: noqa: PTH123

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_llmbench.errors import AnswerFault, GraderError, SandboxError
from pytest_llmbench.sandbox import netns
from pytest_llmbench.sandbox.api import Driver
from pytest_llmbench.sandbox.channel import Channel
from pytest_llmbench.sandbox.spawner import Command, spawn

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
STDERR_TAIL_BYTES = 2000
STOP_S = 10.0

_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
"""A driver needs no key of the grader's environment."""


def start_driver(script: Path, args: Sequence[str], netns_fd: int | None) -> Driver:
    """Start the script in the network namespace, or in ours if there is none.

    Raises:
        SandboxError: the interpreter could not be started.
    """
    ours, theirs = socket.socketpair()
    noise_read, noise_write = os.pipe()
    entry = [sys.executable, "-B", netns.__file__]
    where = str(-1 if netns_fd is None else netns_fd)
    passed = {theirs.fileno()} if netns_fd is None else {theirs.fileno(), netns_fd}
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    try:
        process = spawn(
            Command(
                [*entry, where, str(theirs.fileno()), str(os.getpid()), str(script.resolve()), *args],
                stdin=subprocess.DEVNULL,
                stdout=noise_write,
                stderr=noise_write,
                pass_fds=sorted(passed),
                env=env,
            )
        )
    except OSError as error:
        ours.close()
        os.close(noise_read)
        raise SandboxError(f"driver {script}: cannot be started: {error}") from error
    finally:
        theirs.close()
        os.close(noise_write)
    return ScriptDriver(script, process, ours, noise_read)


class ScriptDriver(Driver):
    """A driver that runs as a Python script."""

    def __init__(self, script: Path, process: subprocess.Popen[bytes], ours: socket.socket, noise_fd: int) -> None:
        self._script = script
        self._process = process
        self._socket = ours
        self._channel = Channel(ours)
        self._noise = b""
        self._noise_fd = noise_fd
        self._reader = threading.Thread(target=self._read_noise, name="llmbench-driver-stderr", daemon=True)
        self._reader.start()

    def send(self, value: Any) -> None:
        """See `Driver.send`."""
        self._channel.send(json.dumps(value).encode() + b"\n")

    def receive(self, timeout_s: float) -> Any:
        """See `Driver.receive`."""
        try:
            line = self._channel.receive_line(timeout_s, MAX_MESSAGE_BYTES)
            if line is not None:
                return json.loads(line)
        except TimeoutError as error:
            raise TimeoutError(f"driver {self._script.name}: nothing came in {timeout_s:g} s") from error
        except (AnswerFault, ValueError) as error:
            raise GraderError(f"driver {self._script.name}: sent something that is no JSON line: {error}") from error
        self._end()
        said = self._noise.decode(errors="replace").strip()
        if self._process.returncode == netns.NOT_JOINED:
            raise SandboxError(f"driver {self._script.name}: {said}")
        raise GraderError(f"driver {self._script.name}: ended with status {self._process.returncode}: {said}")

    def close(self) -> None:
        """See `Driver.close`."""
        if self._process.poll() is None:
            self._process.kill()
        self._end()
        self._channel.close()

    def _end(self) -> None:
        """Wait until it is gone; a driver that closed its socket but stays is killed."""
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_S)

    def _read_noise(self) -> None:
        with open(self._noise_fd, "rb", buffering=0) as noise:
            while part := noise.read(65536):
                self._noise = (self._noise + part)[-STDERR_TAIL_BYTES:]
