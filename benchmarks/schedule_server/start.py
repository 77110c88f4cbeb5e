"""Starts the schedule server from Python, as a process of its own."""

from __future__ import annotations

import http.client
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.schedule_server.log import Entry, decode

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Server:
    """A schedule server that runs."""

    url: str
    """Base URL up to and including `/v1`."""
    pid: int

    @property
    def port(self) -> int:
        """Where it listens, on the loopback interface."""
        return urlsplit(self.url).port or 0

    def log(self, since: int = 0) -> list[Entry]:
        """Return all answers that have ended, in the order in which they did, without the first `since` ones."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            connection.request("GET", f"/log?since={since}")
            return decode(connection.getresponse().read().splitlines())
        finally:
            connection.close()


@contextmanager
def serve(*options: str) -> Iterator[Server]:
    """Run a schedule server for the time of the block.

    Args:
        options: `OPTION=VALUE` of its schedule, and options of its command.

    Raises:
        RuntimeError: it did not start; its own words are on stderr.
    """
    command = [sys.executable, "-m", "benchmarks.schedule_server", *options]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            if not url:
                raise RuntimeError(f"the schedule server did not start: {' '.join(command)}")
            yield Server(url, process.pid)
        finally:
            process.terminate()
