"""What a person sees on a terminal while answers come; a terminal emulator tells what its escape codes come to."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import pyte
import pytest

from tests.client.scripted_server import HANGUP, SILENCE, Reply, ScriptedServer, chunk, event, streamed
from tests.plugin.conftest import Demo

COLUMNS, LINES = 90, 24
Deed = Callable[[subprocess.Popen[bytes]], None]


class Watched(pyte.Screen):
    """Remembers each line that stood on the screen when it was cleared below the cursor, and does what a line asks for."""

    def __init__(self, when_seen: Mapping[str, Deed]) -> None:
        super().__init__(COLUMNS, LINES)
        self.taken_away: list[str] = []
        self._when_seen = dict(when_seen)

    def look(self, run: subprocess.Popen[bytes]) -> None:
        """Do what waits for something that is to be seen now."""
        for part in [part for part in self._when_seen if any(re.search(part, line) for line in self.display)]:
            self._when_seen.pop(part)(run)

    def erase_in_display(self, how: int = 0, *args: object, **more: object) -> None:
        """Take note."""
        self.taken_away += [line.rstrip() for line in self.display[self.cursor.y + 1 :] if line.strip()]
        super().erase_in_display(how, *args, **more)


class Patient(tuple[bytes, ...]):  # noqa: SLOT001 - a tuple has no room for any
    """Pieces of an answer, of which each kind goes on until somebody has seen it, or for a minute."""

    reasoned: threading.Event
    answered: threading.Event

    def __iter__(self) -> Iterator[bytes]:
        """Yield a token now and then."""
        for field, seen in (("reasoning_content", self.reasoned), ("content", self.answered)):
            for _ in range(1200):
                if seen.wait(0.05):
                    break
                yield event(chunk({field: "well "}))
        yield from streamed("the end").pieces


@pytest.fixture(scope="module")
def slow_url() -> Iterator[str]:
    """A server that thinks for two seconds and then answers for two."""
    with ScriptedServer(lambda _: time.sleep(2) or streamed("x " * 40, pause_s=0.05)) as server:  # type: ignore[func-returns-value]
        yield server.url


def on_a_terminal(
    demo: Demo,
    url: str,
    *options: str,
    term: str = "xterm",
    when_seen: Mapping[str, Deed] | None = None,
    exit_codes: Collection[int] = (0, 1),
) -> tuple[Watched, str]:
    """Run pytest; return the screen, and all that was written to it.

    Args:
        demo: the suite.
        url: of the server.
        options: further ones.
        term: kind of terminal.
        when_seen: pattern of a line -> what to do once it is on the screen.
        exit_codes: those that may be.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    no_person = ("CI", "BUILD_NUMBER", "COLUMNS", "LINES")
    environment = {name: value for name, value in os.environ.items() if name not in no_person}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--llm-endpoint=s={url}", *options]
    with subprocess.Popen(
        command, cwd=demo.pytester.path, env=environment | {"TERM": term, "NO_COLOR": "1"}, stdout=theirs, stderr=theirs
    ) as run:
        os.close(theirs)
        screen, written = Watched(when_seen or {}), b""
        stream = pyte.ByteStream(screen)
        while data := _read(ours):
            stream.feed(data)
            written += data
            screen.look(run)
        assert run.wait(60) in exit_codes
    os.close(ours)
    return screen, written.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that nobody will write any more
        return b""


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_line_shows_what_is_on_its_way_and_is_gone_in_the_end(demo: Demo, workers: str) -> None:
    asked, pieces = threading.Event(), Patient()
    pieces.reasoned, pieces.answered = threading.Event(), threading.Event()
    when_seen: Mapping[str, Deed] = {
        r"^s: demo waiting \d+ s": lambda _: asked.set(),
        r"^s: demo reasoning ~\d+ tok \d+\.\d tok/s \d+ s": lambda _: pieces.reasoned.set(),
        r"^s: demo answering ~\d+ tok \d+\.\d tok/s \d+ s": lambda _: pieces.answered.set(),
    }
    with ScriptedServer(lambda _: Reply(pieces) if asked.wait(60) else HANGUP) as server:
        screen, _ = on_a_terminal(demo, server.url, workers, when_seen=when_seen)
    assert pieces.answered.is_set()
    assert all(line.startswith("s: demo ") for line in screen.taken_away)
    left = "\n".join(screen.display)
    assert "report:" in left
    assert "s: demo" not in left


def test_nothing_of_it_is_left_after_ctrl_c(demo: Demo) -> None:
    with ScriptedServer(SILENCE) as server:
        screen, _ = on_a_terminal(
            demo,
            server.url,
            "-v",
            when_seen={"s: demo waiting": lambda run: run.send_signal(signal.SIGINT)},
            exit_codes=[pytest.ExitCode.INTERRUPTED],
        )
    left = "\n".join(screen.display)
    assert "KeyboardInterrupt" in left
    assert "s: demo" not in left


def test_without_a_terminal_of_pytest_the_run_goes_on(demo: Demo, slow_url: str) -> None:
    result = demo.run(f"--llm-endpoint=s={slow_url}", "-p", "no:terminal")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert set(demo.outcomes().values()) == {"wrong"}


@pytest.mark.parametrize("options", [["-q"], ["-s"], ["-n2", "-q"]])
def test_nothing_of_it_when_quiet_is_asked_for(demo: Demo, slow_url: str, options: Sequence[str]) -> None:
    _, written = on_a_terminal(demo, slow_url, *options)
    assert "s: demo" not in written


def test_nothing_of_it_on_a_terminal_that_cannot_clear_a_line(demo: Demo, slow_url: str) -> None:
    _, written = on_a_terminal(demo, slow_url, term="dumb")
    assert "s: demo" not in written


def test_nothing_of_it_in_a_file(demo: Demo, slow_url: str) -> None:
    result = demo.run(f"--llm-endpoint=s={slow_url}")
    assert "s: demo" not in result.stdout.str() + result.stderr.str()
