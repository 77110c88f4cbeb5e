"""This project's client, as a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.peers.peer import Peer, Task
from benchmarks.truth import Figures


def _command(_: Path, task: Task) -> list[str]:
    numbers = {"--concurrency": task.concurrency, "--requests": task.requests, "--tokens": task.tokens}
    options = [text for name, number in numbers.items() for text in (name, str(number))]
    return [sys.executable, "-m", "benchmarks.ours", task.url, *options]


def _read(task: Task) -> Figures:
    return Figures(**json.loads((task.folder / "stdout").read_text()))


OURS = Peer("pytest-llmbench", None, _command, _read)
