"""The lines at the bottom of a terminal while answers come: one for each endpoint, gone as soon as there is other news."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby

import pytest
from _pytest.terminal import TerminalReporter  # pytest's own name for it is newer than what we allow

from pytest_llmbench.inflight import PERIOD_S, InFlight, in_flight, watch
from pytest_llmbench.runfolder import RunFolder

BATCH = ("CI", "BUILD_NUMBER")
"""Variables of machines where a terminal is a log file; the same that pytest goes by."""
DOWN, UP = "\x1bD", "\x1b[A"
"""A row down, with the screen if it must be, and a row up; in the same column."""
KEEP, RETURN = "\x1b7", "\x1b8"
CLIPPED, WRAPPED = "\x1b[?7l", "\x1b[?7h"
CLEAR_LINE, CLEAR_BELOW = "\x1b[2K", "\x1b[J"


class Live:
    """Shows what is on its way: below the line that pytest is writing, so that nothing of it stays behind.

    Whoever writes to the same terminal has the lines taken away first: what pytest and its plugins write comes past
    here by itself, others ask for it by `hide`.
    """

    def __init__(self, config: pytest.Config, folder: RunFolder) -> None:
        """Begin; before the first test runs, as then nothing is captured yet."""
        self._writer = config.get_terminal_writer()
        self._folder = folder
        self._fd = os.dup(sys.stdout.fileno())
        self._lock = threading.RLock()
        self._is_shown = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="llmbench-live", daemon=True)
        watch(folder)
        self._write_as_ever = self._writer.write
        self._writer.write = self._write_of_pytest  # type: ignore[method-assign]
        self._thread.start()

    @staticmethod
    def is_wanted(config: pytest.Config) -> bool:
        """Whether a person looks at a terminal that can do it, did not ask for quiet, and nobody else draws there."""
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if type(reporter) is not TerminalReporter or reporter.verbosity < 0:
            return False
        if config.getoption("capture", "no") != "fd":  # what tests print goes there, too, past us
            return False
        if os.environ.get("TERM", "dumb") == "dumb" or any(map(os.environ.get, BATCH)):
            return False
        try:
            return os.isatty(sys.stdout.fileno())
        except (OSError, ValueError):  # no file, as in a notebook
            return False

    def close(self) -> None:
        """End, and leave nothing behind."""
        self._closed.set()
        self._thread.join()
        self._writer.write = self._write_as_ever  # type: ignore[method-assign]
        self._show(())
        os.close(self._fd)

    @contextmanager
    def hide(self) -> Iterator[None]:
        """Take the lines away for the time of the block; from any thread."""
        with self._lock:
            self._show(())
            yield

    def pytest_enter_pdb(self) -> None:
        """Leave the terminal to the debugger, for good."""
        self._closed.set()
        with self._lock:
            self._show(())

    def _write_of_pytest(self, msg: str, *, flush: bool = False, **markup: bool) -> None:  # noqa: ARG002
        with self.hide():
            self._write_as_ever(msg, flush=True, **markup)  # now, and not below lines that are drawn later

    def _go_on(self) -> None:
        while not self._closed.wait(PERIOD_S):
            columns, rows = self._size()
            lines = live_lines(in_flight(self._folder), columns, rows)
            with self._lock:
                if not self._closed.is_set():
                    self._show(lines)

    def _size(self) -> tuple[int, int]:
        """Return columns and rows; of the terminal, as standard output is captured while a test runs."""
        try:
            size = os.get_terminal_size(self._fd)
        except OSError:  # it was closed
            return 80, 24
        return size.columns or 80, size.lines or 24

    def _show(self, lines: Sequence[str]) -> None:
        """Draw these lines in the place of those that are there, and go back to where pytest is."""
        text = CLEAR_BELOW if self._is_shown else ""
        if lines:
            # First the room, for which the screen may scroll, and only then the place to come back to.
            text += DOWN * len(lines) + UP * len(lines) + KEEP + CLIPPED
            text += "".join(f"\r\n{CLEAR_LINE}{line}" for line in lines) + WRAPPED + RETURN
        self._is_shown = bool(lines)
        if not text:
            return
        with suppress(OSError):  # nobody looks any more
            os.write(self._fd, text.encode("utf-8", "replace"))


def live_lines(answers: Sequence[InFlight], columns: int, rows: int) -> list[str]:
    """Return a line for each endpoint that is asked, the answers that have gone on longest first.

    Args:
        answers: on their way.
        columns: of the terminal; no line is as wide.
        rows: of the terminal; no more than half of them is taken.
    """
    told: list[str] = []
    for endpoint, group in groupby(sorted(answers, key=lambda one: one.endpoint), key=lambda one: one.endpoint):
        own = sorted(group, key=lambda one: -one.elapsed_s)
        told.append(_line(endpoint, [_told(one) for one in own], columns - 1))
    room = max(rows // 2, 1)
    if len(told) > room:
        told[room - 1 :] = [f"{len(told) - room + 1} more endpoints"[: columns - 1]]
    return told


def _line(endpoint: str, told: Sequence[str], room: int) -> str:
    line = ""
    for count in range(len(told), 0, -1):
        rest = [f"{len(told) - count} more"] if count < len(told) else []
        line = f"{endpoint}: " + " | ".join([*told[:count], *rest])
        if len(line) <= room:
            return line
    return f"{line[: max(room - 1, 0)]}…"


def _told(answer: InFlight) -> str:
    name = answer.suite if answer.sample == 1 else f"{answer.suite}-s{answer.sample}"
    if not answer.chunks:
        return f"{name} waiting {answer.elapsed_s:.0f} s"
    doing = "reasoning" if answer.is_reasoning else "answering"
    rate = f" {answer.chunks_s:.1f} tok/s" if answer.chunks_s is not None else ""
    return f"{name} {doing} ~{answer.chunks} tok{rate} {answer.elapsed_s:.0f} s"
