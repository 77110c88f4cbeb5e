"""Runs inside the sandbox, for rig.py: what /proc tells about the processes of a package."""

# Links and process entries are what this is about; pathlib hides them.
# ruff: noqa: PTH115, PTH118, PTH123, PTH208

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import Any

MAX_ARGUMENT_CHARS = 1000
MINER_FLAGS = "-IS"
"""Of the interpreter, in the miner's first line: nothing of the environment or the folder gets into it."""


def below(pid: int) -> list[int]:
    """Return the living descendants of a process."""
    parents = _parents()
    known = {pid}
    found: list[int] = []
    while fresh := [child for child, parent in parents.items() if parent in known and child not in known]:
        known.update(fresh)
        found += fresh
    return found


def is_miner(pid: int, program: str) -> bool:
    """Whether it is the miner that lies at `program`, ready for SIGTERM; a process's name alone would prove nothing."""
    words = _words(pid)
    if words[1:2] != [MINER_FLAGS]:  # it might run something else and have the miner as a mere argument
        return False
    try:
        place = os.path.realpath(os.path.join(os.readlink(f"/proc/{pid}/cwd"), words[2]))
        interpreter = os.readlink(f"/proc/{pid}/exe")
        with open(f"/proc/{pid}/status") as file:
            caught = next(int(line.split()[1], 16) for line in file if line.startswith("SigCgt:"))
    except (OSError, IndexError, ValueError, StopIteration):
        return False
    ready = caught >> (signal.SIGTERM - 1) & 1
    return bool(ready) and place == os.path.realpath(program) and interpreter == os.path.realpath(sys.executable)


def describe_miner(pid: int) -> dict[str, Any]:
    """Return its arguments and which cards it may use."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            environ = file.read().split(b"\0")
    except OSError:
        environ = []
    cards = [_text(entry) for entry in environ if entry.startswith(b"CUDA_VISIBLE_DEVICES=")]
    return {"pid": pid, "argv": _words(pid)[3:], "cards": cards[0].partition("=")[2] if cards else None}


def _words(pid: int) -> list[str]:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            data = file.read(1 << 16)
    except OSError:
        return []
    return [_text(word)[:MAX_ARGUMENT_CHARS] for word in data.split(b"\0")[:-1]]


def _parents() -> dict[int, int]:
    """Return process -> parent for all that are alive."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError, IndexError, ValueError), open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
                if state not in (b"Z", b"X"):
                    parents[int(name)] = int(parent)
    return parents


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
