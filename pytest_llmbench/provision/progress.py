"""What is said to a user while a server loads, and the end of its log."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

FIRST_S = 5.0
EVERY_S = 15.0
TAIL_BYTES = 16 * 1024
LOG_BYTES = 8 * 1024 * 1024
LINE_CHARS = 120
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[@-_])")


class Progress:
    """Says now and then how long a server has been loading, and what it printed last."""

    def __init__(self, tell: Callable[[str], None], log: Path, *, but: str) -> None:
        """Say it by `tell`.

        Args:
            tell: takes one line.
            log: what the server prints.
            but: lines that hold this text say nothing of how far it is: they are about our own looking.
        """
        self._tell = tell
        self._log = log
        self._but = but
        self._next_s = FIRST_S

    def tick(self, elapsed_s: float, what: str) -> None:
        """Say it if it is time to.

        Args:
            elapsed_s: since the start; grows from call to call.
            what: is going on.
        """
        if elapsed_s < self._next_s:
            return
        while self._next_s <= elapsed_s:
            self._next_s += EVERY_S
        line = last_line(self._log, but=self._but)
        self._tell(f"{what} for {elapsed_s:.0f} s{': ' if line else ''}{line}")


def log_text(log: Path, max_bytes: int = LOG_BYTES) -> str:
    """Return what a server printed, the end of it if that is much; empty if there is no such file."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - max_bytes))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def last_line(log: Path, *, but: str | None = None) -> str:
    """Return the last line of a log that says something, cleaned and cut for a terminal; empty if there is none.

    Args:
        log: to read.
        but: lines that hold this text say nothing.
    """
    lines = log_text(log, TAIL_BYTES).split("\n")
    telling = (line for line in reversed(lines) if but is None or but not in line)
    return next(filter(None, map(clean, telling)), "")


def clean(line: str) -> str:
    """Return what a terminal would show of a line in the end, without colours and what else moves the cursor."""
    texts = ["".join(filter(str.isprintable, part.replace("\t", " "))) for part in _ESCAPE.sub("", line).split("\r")]
    shown = next((text for text in reversed(texts) if text.strip()), "")  # a progress bar's last state
    shown = " ".join(shown.split())
    return f"{shown[:LINE_CHARS]}…" if len(shown) > LINE_CHARS else shown
