"""Whether the candidate's threads have anything to do, as the kernel shows it from outside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_llmbench import Task


def asleep(tasks: Sequence[Task]) -> bool:
    """Return whether each thread waits for something: a lock, the wallet, or another thread."""
    for task in tasks:
        try:
            status = Path(f"/proc/{task.pid}/task/{task.tid}/status").read_text("utf-8", "replace")
        except OSError:  # it has just ended
            return False
        if "\nState:\tS" not in status:
            return False
    return True
