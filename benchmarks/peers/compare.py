"""One run of one client, held against the server's log."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peers.install import installed
from benchmarks.peers.metering import Cost, metered
from benchmarks.peers.peer import Peer, Task
from benchmarks.schedule_server import Entry, Server, serve
from benchmarks.truth import Figures, mean, rank, truth

LAY_OUT = "lay-out"
"""The `user` of the request that makes the server ready."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all clients are given."""

    concurrency: int
    tokens: int
    interval_ms: float
    waves: int = 1
    """Requests of each of the C users."""

    @property
    def name(self) -> str:
        """For tables."""
        pace = f"{self.interval_ms:g} ms a token" if self.interval_ms else "flood"
        return f"C={self.concurrency}, {pace}, {self.tokens} tokens"

    @property
    def server_options(self) -> tuple[str, ...]:
        """What the schedule server is started with; like a real one, it does not catch up after a late write."""
        return ("catch_up=0", f"interval_ms={self.interval_ms:g}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run showed."""

    command: list[str]
    cost: Cost
    said: Figures | None
    """None where the client failed or said nothing that could be read."""
    true: Figures
    tokens_served: int
    """To all of its requests, its own warm-up included."""
    late_p99_s: float | None
    """By how much the server missed its schedule."""
    complaint: str = ""
    """The end of what the client wrote, where it failed."""


def run(peer: Peer, setting: Setting, tokenizer: Path) -> Outcome:
    """Run a client once, against a server of its own."""
    programs = installed(peer)
    with (
        TemporaryDirectory(prefix=f"{peer.name}-") as name,
        serve(*setting.server_options) as server,
    ):
        _lay_out(server, setting.tokens)
        folder = Path(name)
        requests = setting.concurrency * setting.waves
        task = Task(server.url, setting.concurrency, requests, setting.tokens, tokenizer, folder)
        command = peer.command(programs, task)
        # A home of its own: nothing is found there that an earlier run left.
        cost = metered(command, folder, {**os.environ, "HOME": name, "PATH": f"{programs}:{os.environ['PATH']}"})
        try:
            said, complaint = peer.read(task), ""
        except (OSError, ValueError, LookupError, TypeError) as error:
            said, complaint = None, f"{error!r}; status {cost.status}; {_last_words(folder)}"
        entries = [entry for entry in server.log() if entry.user != LAY_OUT]
    measured = sorted(_of_length(entries, setting.tokens), key=lambda entry: entry.arrived_s)[-requests:]
    return Outcome(
        command,
        cost,
        said,
        mean([truth(entry) for entry in measured]),
        sum(write.tokens for entry in entries for write in entry.writes),
        rank([late for entry in measured for late in entry.lateness_s], 0.99),
        complaint,
    )


def _lay_out(server: Server, tokens: int) -> None:
    """Make the server lay out its answer, which takes a second for a long one and is no client's fault."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    messages = [{"role": "user", "content": ""}]
    asked = {"model": "schedule", "messages": messages, "max_tokens": tokens, "stream": True, "user": LAY_OUT}
    connection.request("POST", "/v1/chat/completions", json.dumps(asked))
    connection.getresponse().read(1)
    connection.close()


def _of_length(entries: Sequence[Entry], tokens: int) -> list[Entry]:
    return [entry for entry in entries if entry.is_whole and sum(write.tokens for write in entry.writes) == tokens]


def _last_words(folder: Path) -> str:
    text = " ".join((folder / name).read_text(errors="replace")[-300:] for name in ("stdout", "stderr"))
    return " ".join(text.split())
