"""What a server's processes do, in small: a program whose words are a FIFO and its habits.

Every process of it holds the FIFO open and closes nothing, so the FIFO ends when the last of them has.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

MIB = 1024 * 1024


class Tree:
    """One process, and those that it makes."""

    def __init__(self, fifo: str) -> None:
        self._line = os.open(fifo, os.O_WRONLY)
        self._held: list[mmap.mmap] = []
        self.habits: Mapping[str, Callable[[], None]] = {
            "ignore-sigterm": self._ignore_sigterm,
            "worker": self._worker,
            "eating-worker": lambda: self._worker(eat=True),
            "daemon": self._daemon,
            "eat": lambda: self._held.append(eaten()),
            "eat-and-free": lambda: eaten().close(),
            "describe": lambda: self._say(description()),
            "die": self._die,
        }

    def run(self) -> None:
        """Say that all is as it shall be, and wait."""
        self._say("ready")
        while True:
            signal.pause()

    def _say(self, text: str) -> None:
        os.write(self._line, f"{text}\n".encode())

    def _ignore_sigterm(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: self._say("term"))

    def _worker(self, *, eat: bool = False) -> None:
        if os.fork():
            return
        if eat:
            self._held.append(eaten())
        self._say("worker")
        while True:
            signal.pause()

    def _daemon(self) -> None:
        if os.fork():
            os.wait()
            return
        os.setsid()
        self._worker()
        os._exit(0)

    def _die(self) -> None:
        self._say("ready")
        os._exit(7)


def eaten() -> mmap.mmap:
    """Return 64 MiB that are really there."""
    memory = mmap.mmap(-1, 64 * MIB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, len(memory), mmap.PAGESIZE):
        memory[at] = 1
    return memory


def description() -> str:
    """Return in JSON what this process got from whoever started it."""
    status = dict(row.split(":\t", 1) for row in Path("/proc/self/status").read_text().splitlines())
    files = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.exists()]
    facts = {
        "files": files,
        "ignored": int(status["SigIgn"], 16),
        "blocked": int(status["SigBlk"], 16),
        "own_group": os.getpgid(0) == os.getpid(),
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
    }
    return json.dumps(facts)


def main() -> None:
    """Take on the habits that the command line names."""
    tree = Tree(sys.argv[1])
    for habit in sys.argv[2:]:
        tree.habits[habit]()
    tree.run()


if __name__ == "__main__":
    main()
