"""Runs inside the sandbox, for rig.py: the agent's shell, one command at a time."""

# Descriptors and links are what this is about; pathlib hides them.
# ruff: noqa: PTH115, S603, S607

from __future__ import annotations

import os
import select
import subprocess
import time
from contextlib import suppress
from typing import Any

COMMANDS_FD, RESULTS_FD = 97, 98
"""As agent.sh knows them."""
RESULT_FIELDS = 6
MAX_RESULT_BYTES = 256 * 1024


class Agent:
    """The agent's shell."""

    def __init__(self, script: str, folder: str) -> None:
        commands, self._commands = os.pipe()
        self._results, results = os.pipe()
        os.dup2(commands, COMMANDS_FD)
        os.dup2(results, RESULTS_FD)
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc", script],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            pass_fds=(COMMANDS_FD, RESULTS_FD),
            start_new_session=True,
        )
        for fd in (commands, results, COMMANDS_FD, RESULTS_FD):
            os.close(fd)
        self.pid = self._shell.pid

    def ask(self, verb: str, arguments: list[str], limit_s: float) -> dict[str, Any]:
        """Have a command carried out; without `fields` in what is returned, the shell did not get to its end."""
        nonce = os.urandom(8).hex()
        folder = self._folder()
        began_s = time.monotonic()
        with suppress(OSError):
            os.write(self._commands, "|".join((nonce, verb, *arguments)).encode() + b"\n")
        fields = self._answer(began_s + limit_s)
        told: dict[str, Any] = {"took_s": time.monotonic() - began_s, "ended": self._shell.poll()}
        if len(fields) == RESULT_FIELDS and fields[0] == nonce:
            told |= {"options": fields[1], "moved": self._folder() != folder, "fields": fields[2:]}
        return told

    def _answer(self, until_s: float) -> list[str]:
        data = b""
        while data.count(b"\0") < RESULT_FIELDS and len(data) < MAX_RESULT_BYTES:
            ready = select.select([self._results], [], [], 0.02)[0]
            if ready:
                part = os.read(self._results, 65536)
                data += part
                if part:
                    continue
            if self._shell.poll() is not None or time.monotonic() > until_s:
                break
        return [_text(field) for field in data.split(b"\0")[:-1]]

    def _folder(self) -> str | None:
        try:
            return os.readlink(f"/proc/{self.pid}/cwd")
        except OSError:
            return None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
