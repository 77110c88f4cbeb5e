"""One server process with everything that it starts."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class ServerProcess:
    """A server in a process group of its own; nothing of it outlives us."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], folder: str, log: Path) -> None:
        """Start it.

        Args:
            argv: its words.
            env: its whole environment.
            folder: to start in; empty for ours.
            log: file that takes what it prints, made anew.

        Raises:
            OSError: the program cannot be started.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own words
                argv,
                env=env,
                cwd=folder or None,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def ended(self) -> str | None:
        """How it ended, such as `exit status 1` or `SIGKILL`; None while it runs."""
        status = self._process.poll()
        if status is None:
            return None
        return f"exit status {status}" if status >= 0 else signal.Signals(-status).name

    @property
    def memory_peak_bytes(self) -> int | None:
        """Most memory that it and its children held together so far."""
        return None

    def stop(self, timeout_s: float) -> None:
        """End it and all that it started; return when nothing is left. May be called again."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGTERM)
            try:
                self._process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
