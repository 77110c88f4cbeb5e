"""The lines at the bottom of a terminal while answers come; a terminal emulator tells what the escape codes come to."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import pyte
import pytest
from _pytest._io import TerminalWriter
from _pytest.terminal import TerminalReporter

from pytest_llmbench.inflight import InFlight
from pytest_llmbench.live import Live, live_lines
from pytest_llmbench.model.codec import encode
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.serving import Terminal


def answer(suite: str, elapsed_s: float = 3.0, *, endpoint: str = "new", **more: object) -> InFlight:
    given = {"sample": 1, "chunks": 0, "chunks_s": None, "is_reasoning": False} | more
    return InFlight(endpoint=endpoint, suite=suite, elapsed_s=elapsed_s, **given)  # type: ignore[arg-type]


def test_nothing_on_its_way() -> None:
    assert live_lines([], 80, 24) == []


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (answer("zmq"), "new: zmq waiting 3 s"),
        (answer("zmq", chunks=1), "new: zmq answering ~1 tok 3 s"),
        (answer("zmq", chunks=90, chunks_s=45.04), "new: zmq answering ~90 tok 45.0 tok/s 3 s"),
        (answer("zmq", chunks=90, is_reasoning=True, sample=2), "new: zmq-s2 reasoning ~90 tok 3 s"),
    ],
)
def test_one_answer(one: InFlight, told: str) -> None:
    assert live_lines([one], 80, 24) == [told]


def test_a_line_for_each_endpoint_and_the_longest_first() -> None:
    found = live_lines([answer("zmq", 1.0), answer("pplns", 9.0), answer("zmq", endpoint="old")], 80, 24)
    assert found == ["new: pplns waiting 9 s | zmq waiting 1 s", "old: zmq waiting 3 s"]


def test_what_does_not_fit_is_counted() -> None:
    (line,) = live_lines([answer(f"suite{number}") for number in range(8)], 60, 24)
    assert line == "new: suite0 waiting 3 s | suite1 waiting 3 s | 6 more"


@pytest.mark.parametrize("columns", range(1, 50))
def test_no_line_is_as_wide_as_the_terminal(columns: int) -> None:
    answers = [answer("a-suite-with-a-long-name", endpoint=f"endpoint-{number}") for number in range(9)]
    assert all(len(line) < max(columns, 2) for line in live_lines(answers, columns, 8))


def test_no_more_than_half_of_the_screen_is_taken() -> None:
    answers = [answer("zmq", endpoint=f"e{number}") for number in range(9)]
    assert live_lines(answers, 80, 7) == ["e0: zmq waiting 3 s", "e1: zmq waiting 3 s", "7 more endpoints"]
    assert live_lines(answers, 80, 1) == ["9 more endpoints"]


class Watched:
    """A terminal with `Live` on it, and what a person sees there."""

    def __init__(self, folder: RunFolder, monkeypatch: pytest.MonkeyPatch, columns: int, rows: int) -> None:
        self.live: Live | None = None
        self.answers: Sequence[InFlight] = [answer("zmq")]
        self.screen = pyte.HistoryScreen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._ours, theirs = pty.openpty()
        self.resize(columns, rows)
        self.file = os.fdopen(theirs, "w")
        self.writer = TerminalWriter(self.file)
        reporter = SimpleNamespace(verbosity=0, currentfspath="test_a.py")
        manager = SimpleNamespace(get_plugin=lambda _: reporter)
        self.config: Any = SimpleNamespace(get_terminal_writer=lambda: self.writer, pluginmanager=manager)

    def take_stdout(self) -> None:
        """Let it be standard output until the test ends; only there, as pytest itself sets it before a test."""
        self._monkeypatch.setattr(sys, "stdout", self.file)

    def begin(self) -> Live:
        self.take_stdout()
        self.live = Live(self.config, self._folder)
        return self.live

    @property
    def text(self) -> list[str]:
        above = [
            "".join(line[column].data for column in range(self.screen.columns)) for line in self.screen.history.top
        ]
        return [line.rstrip() for line in (*above, *self.screen.display) if line.strip()]

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def see(self, is_so: Callable[[list[str]], bool]) -> list[str]:
        """Wait until the screen is as wanted."""
        deadline_s = time.monotonic() + 60
        while not is_so(self.text):
            assert time.monotonic() < deadline_s, self.screen.display
            self._folder.write(".locks/inflight-1.json", encode(tuple(self.answers)))  # again, as old ones do not count
            if select.select([self._ours], [], [], 0.05)[0]:
                self._stream.feed(os.read(self._ours, 65536))
        return self.text

    def see_live(self) -> None:
        self.see(lambda text: any(re.match(r"(new|e\d*): |\d+ more", line) for line in text))

    def end(self) -> None:
        if self.live is not None:
            self.live.close()
        self.live = None

    def close(self) -> None:
        self.end()
        self.file.close()
        os.close(self._ours)


@pytest.fixture
def on(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """A terminal of 40 columns and 8 rows, or as parametrised."""
    watched = Watched(RunFolder(tmp_path), monkeypatch, *getattr(request, "param", (40, 8)))
    yield watched
    watched.close()


@pytest.mark.parametrize("before", [0, 20], ids=["top", "bottom"])
@pytest.mark.parametrize("on", [(40, 8), (12, 8), (40, 2)], indirect=True, ids=["usual", "narrow", "low"])
def test_what_pytest_writes_is_left_as_it_was(on: Watched, before: int) -> None:
    on.begin()
    on.answers = [answer("zmq", endpoint=f"e{number}") for number in range(3)]
    for number in range(before):
        on.writer.line(f"line {number}")
    on.writer.write("test_a ")
    on.see_live()
    on.writer.write(".")
    on.see(lambda text: "test_a ." in text)
    on.see_live()
    on.writer.write("F\n")
    on.see(lambda text: "test_a .F" in text)
    on.see_live()
    on.end()
    on.writer.line("the end")
    assert on.see(lambda text: "the end" in text) == [
        *(f"line {number}" for number in range(before)),
        "test_a .F",
        "the end",
    ]


def test_a_line_of_pytest_that_is_wider_than_the_terminal_goes_on_where_it_was(on: Watched) -> None:
    on.begin()
    on.writer.write("x" * 50 + " ")
    on.see_live()
    on.writer.write("PASSED")
    on.end()
    assert on.see(lambda text: any("PASSED" in line for line in text)) == ["x" * 40, "x" * 10 + " PASSED"]


def test_wide_characters_and_a_smaller_window_leave_nothing(on: Watched) -> None:
    on.begin()
    on.answers = [answer("支付系统支付系统支付系统支付系统支付系统", endpoint=f"e{number}") for number in range(3)]
    on.writer.write("test_a ")
    on.see_live()
    on.resize(30, 8)
    on.answers = [answer("zmq", endpoint="e")]
    on.see(lambda text: text == ["test_a", "e: zmq waiting 3 s"])
    on.end()
    on.writer.write(".", flush=True)
    assert on.see(lambda text: "test_a ." in text) == ["test_a ."]


def test_what_is_told_in_between_has_lines_of_its_own(on: Watched) -> None:
    live = on.begin()
    terminal = Terminal(on.config, live.hide)
    on.writer.write("test_a.py .", flush=True)
    on.see_live()
    terminal.tell("new: is being started")
    on.see(lambda text: "llmbench: new: is being started" in text)
    on.see_live()
    terminal.tell("new: is up")
    on.see(lambda text: "llmbench: new: is up" in text)
    on.see_live()
    on.end()
    terminal.close()
    told = ["test_a.py .", "llmbench: new: is being started", "llmbench: new: is up"]
    assert on.see(lambda text: text == told) == told


def test_a_debugger_has_the_terminal_to_itself(on: Watched) -> None:
    live = on.begin()
    on.see_live()
    live.pytest_enter_pdb()
    on.see(lambda text: text == [])
    on.end()


class Rich:
    """Of a plugin that draws in its own way."""

    verbosity = 0

    def __init__(self, config: pytest.Config, file: TextIO) -> None: ...


@pytest.mark.parametrize(
    ("reporter", "options", "variables", "is_wanted"),
    [
        (TerminalReporter, {}, {}, True),
        (TerminalReporter, {"verbose": 2}, {}, True),
        (TerminalReporter, {"verbose": -1}, {}, False),
        (Rich, {}, {}, False),
        (None, {}, {}, False),
        (TerminalReporter, {"capture": "no"}, {}, False),
        (TerminalReporter, {"capture": "tee-sys"}, {}, False),
        (TerminalReporter, {}, {"TERM": "dumb"}, False),
        (TerminalReporter, {}, {"TERM": None}, False),
        (TerminalReporter, {}, {"CI": "true"}, False),
        (TerminalReporter, {}, {"CI": ""}, True),
    ],
)
def test_it_is_shown_to_a_person_at_a_terminal_that_is_pytests_alone(  # noqa: PLR0913 - a table
    on: Watched,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
    reporter: type[pytest.TerminalReporter | Rich] | None,
    options: Mapping[str, object],
    *,
    variables: dict[str, str | None],
    is_wanted: bool,
) -> None:
    for name, value in ({"TERM": "xterm", "CI": None, "BUILD_NUMBER": None} | variables).items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    on.take_stdout()
    shown = None if reporter is None else reporter(pytestconfig, on.file)
    config: Any = SimpleNamespace(
        pluginmanager=SimpleNamespace(get_plugin=lambda _: shown), getoption=lambda *_: options.get("capture", "fd")
    )
    with monkeypatch.context() as patched:  # pytest shows this very test by it
        patched.setattr(pytestconfig.option, "verbose", options.get("verbose", 0))
        assert Live.is_wanted(config) is is_wanted


def test_without_a_terminal_of_pytest_nothing_is_told() -> None:
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugin=lambda _: None))
    terminal = Terminal(config)
    terminal.tell("new: is up")
    terminal.close()
