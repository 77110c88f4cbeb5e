"""The lines at the bottom of a terminal while answers come: one for each endpoint, gone as soon as there is other news."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

import pytest

from pytest_llmbench.inflight import PERIOD_S, InFlight, in_flight, watch
from pytest_llmbench.runfolder import RunFolder

MIN_COLUMNS = 40


class Live:
    """Shows what is on its way. Below the line that pytest is writing, so that nothing of it stays behind."""

    def __init__(self, config: pytest.Config, folder: RunFolder) -> None:
        """Begin; before the first test runs, as then nothing is captured yet."""
        self._writer = config.get_terminal_writer()
        self._folder = folder
        self._fd = os.dup(sys.stdout.fileno())
        self._lock = threading.RLock()
        self._shown = 0
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="llmbench-live", daemon=True)
        watch(folder)
        self._thread.start()

    @staticmethod
    def is_wanted(config: pytest.Config) -> bool:
        """Whether a person looks at a terminal that can do it, and did not ask for quiet."""
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or reporter.verbosity < 0 or os.environ.get("TERM", "dumb") == "dumb":
            return False
        try:
            return os.isatty(sys.stdout.fileno())
        except (OSError, ValueError):  # no file, as in a notebook
            return False

    def close(self) -> None:
        """End, and leave nothing behind."""
        self._closed.set()
        self._thread.join()
        self.hide()
        os.close(self._fd)

    def hide(self) -> None:
        """Take the lines away, until the next ones are due."""
        with self._lock:
            if self._shown:
                self._write("\x1b[J")
                self._shown = 0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logstart(self) -> Generator[None, Any, Any]:
        """Make room for what pytest writes."""
        with self._lock:
            self.hide()
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self) -> Generator[None, Any, Any]:
        """Same."""
        with self._lock:
            self.hide()
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logfinish(self) -> Generator[None, Any, Any]:
        """Same."""
        with self._lock:
            self.hide()
            return (yield)

    def pytest_enter_pdb(self) -> None:
        """Leave the terminal to the debugger, for good."""
        self._closed.set()
        self.hide()

    def _go_on(self) -> None:
        while not self._closed.wait(PERIOD_S):
            columns = shutil.get_terminal_size().columns
            lines = live_lines(in_flight(self._folder), columns)
            with self._lock:
                self.hide()
                if lines and not self._closed.is_set():
                    self._show(lines)

    def _show(self, lines: Sequence[str]) -> None:
        # Down, and back to where pytest goes on; relative, as the screen may scroll for it.
        column = self._writer.width_of_current_line
        back = f"\r\x1b[{len(lines)}A" + (f"\x1b[{column}C" if column else "")
        self._write("".join(f"\r\n{line}\x1b[K" for line in lines) + back)
        self._shown = len(lines)

    def _write(self, text: str) -> None:
        with suppress(OSError):  # nobody looks any more
            os.write(self._fd, text.encode("utf-8", "replace"))


def live_lines(answers: Sequence[InFlight], columns: int) -> list[str]:
    """Return a line for each endpoint that is asked, the answers that have gone on longest first.

    Args:
        answers: on their way.
        columns: of the terminal; no line is as wide.
    """
    lines = []
    for endpoint, group in groupby(sorted(answers, key=lambda one: one.endpoint), key=lambda one: one.endpoint):
        own = sorted(group, key=lambda one: -one.elapsed_s)
        line = f"{endpoint}: " + " | ".join(map(_told, own))
        room = max(columns, MIN_COLUMNS) - 1
        lines.append(line if len(line) <= room else f"{line[: room - 1]}…")
    return lines


def _told(answer: InFlight) -> str:
    name = answer.suite if answer.sample == 1 else f"{answer.suite}-s{answer.sample}"
    if not answer.chunks:
        return f"{name} waiting {answer.elapsed_s:.0f} s"
    doing = "reasoning" if answer.is_reasoning else "answering"
    rate = f" {answer.chunks_s:.1f} tok/s" if answer.chunks_s is not None else ""
    return f"{name} {doing} ~{answer.chunks} tok{rate} {answer.elapsed_s:.0f} s"
