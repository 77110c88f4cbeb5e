"""Runs inside the sandbox: starts the candidate's commands side by side, and is the backup that locks the database.

It talks over fd 3 in JSON, one value a line; the candidate's processes do not get this descriptor. What it says is an
observation like the candidate's own output: whoever forges it gains nothing.

Commands:
    ["start", number, argv]      reply ["started", number]; later ["ended", number, status, stdout, stderr]
    ["kill", number]             SIGKILL; ["ended", ...] follows
    ["lock", path], ["unlock"]   hold the write lock of the database; reply ["locked", error or null], ["unlocked", …]
    ["read", path, first_id]     reply ["rows", rows or null, error or null]: payouts from this id on, one list each
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from typing import IO, Any

CHANNEL = 3
OUTPUT_BYTES = 60_000
"""Of stdout and of stderr each that the judge is told; as JSON they still fit a line."""
LOG_BYTES = 8_000
"""… and that goes to the run folder."""
READ_S = 5.0
MAX_ROWS = 400
LONGEST_CELL = 20_000
PAYOUTS = "SELECT id, worker, address, amount, fee, status, txid FROM payouts WHERE id >= ? ORDER BY id LIMIT ?"


class Starter:
    """Processes of the candidate, and the lock."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._poll.register(CHANNEL, select.POLLIN)
        self._running: dict[int, tuple[int, subprocess.Popen[bytes], IO[bytes], IO[bytes]]] = {}
        self._backup: sqlite3.Connection | None = None
        self._rest = b""

    def obey(self) -> None:
        """Carry out commands until the judge has gone."""
        while True:
            for fd, _ in self._poll.poll():
                if fd != CHANNEL:
                    self._end(fd)
                    continue
                got = os.read(CHANNEL, 65536)
                if not got:
                    return
                *lines, self._rest = (self._rest + got).split(b"\n")
                for line in lines:
                    verb, *arguments = json.loads(line)
                    getattr(self, verb)(*arguments)

    def start(self, number: int, argv: list[str]) -> None:
        """Start a command of the candidate in a session of its own; -s because its folder is also its home."""
        out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - closed in `_end`
        process = subprocess.Popen(  # noqa: S603 - what the sandbox is for
            [sys.executable, "-s", *argv], stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        ended = os.pidfd_open(process.pid)
        self._running[ended] = (number, process, out, err)
        self._poll.register(ended, select.POLLIN)
        _say("started", number)

    def kill(self, number: int) -> None:
        """End a command as a power cut does, with the processes that it has started."""
        for running, process, _, _ in self._running.values():
            if running == number:
                # Its number cannot be anybody else's yet: it is waited for only in `_end`.
                os.killpg(process.pid, signal.SIGKILL)

    def lock(self, path: str) -> None:
        """Take the write lock of the database."""
        try:
            self._backup = sqlite3.connect(path, isolation_level=None)
            self._backup.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            _say("locked", str(error))
        else:
            _say("locked", None)

    def unlock(self) -> None:
        """Let go of it."""
        try:
            if self._backup is not None:
                self._backup.execute("ROLLBACK")
                self._backup.close()
        except sqlite3.Error as error:
            _say("unlocked", str(error))
        else:
            _say("unlocked", None)

    def read(self, path: str, first_id: int) -> None:
        """Read payouts. The candidate may have put anything into the file, a table that never ends too."""
        deadline_s = time.monotonic() + READ_S
        try:
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
                database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_CELL)
                database.set_progress_handler(lambda: time.monotonic() > deadline_s, 10_000)
                rows = [
                    [cell if isinstance(cell, str | int | float) else None for cell in row]
                    for row in database.execute(PAYOUTS, (first_id, MAX_ROWS))
                ]
        except sqlite3.Error as error:
            _say("rows", None, str(error))
        else:
            _say("rows", rows, None)

    def _end(self, fd: int) -> None:
        self._poll.unregister(fd)
        number, process, *files = self._running.pop(fd)
        os.close(fd)
        texts = []
        for file in files:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LOG_BYTES))
            sys.stderr.buffer.write(file.read(LOG_BYTES))
            file.seek(0)
            texts.append(file.read(OUTPUT_BYTES).decode("utf-8", "replace"))
            file.close()
        sys.stderr.buffer.flush()
        _say("ended", number, process.wait(), *texts)


def _say(*words: Any) -> None:
    data = json.dumps(words).encode() + b"\n"
    while data:
        data = data[os.write(CHANNEL, data) :]


if __name__ == "__main__":
    Starter().obey()
