"""What a person sees on a terminal while answers come; a terminal emulator tells what its escape codes come to."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pyte
import pytest

from benchmarks.schedule_server import serve

from .conftest import Demo

COLUMNS, LINES = 90, 24


class Watched(pyte.Screen):
    """Remembers each line that stood on the screen when it was cleared below the cursor."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, LINES)
        self.taken_away: list[str] = []

    def erase_in_display(self, how: int = 0, *args: object, **more: object) -> None:
        """Take note."""
        self.taken_away += [line.rstrip() for line in self.display[self.cursor.y + 1 :] if line.strip()]
        super().erase_in_display(how, *args, **more)


@pytest.fixture(scope="module")
def slow_url() -> Iterator[str]:
    """A server that thinks for two seconds and then answers for three."""
    with serve("ttft_ms=2000", "interval_ms=30", "tokens=100", "reasoning=50") as server:
        yield server.url


def on_a_terminal(demo: Demo, url: str, *options: str, term: str = "xterm") -> tuple[Watched, str]:
    """Run pytest; return the screen, and all that was written to it."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": term, "COLUMNS": str(COLUMNS), "LINES": str(LINES), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--llm-endpoint=s={url}", *options]
    with subprocess.Popen(command, cwd=demo.pytester.path, env=environment, stdout=theirs, stderr=theirs) as run:
        os.close(theirs)
        screen, written = Watched(), b""
        stream = pyte.ByteStream(screen)
        while data := _read(ours):
            stream.feed(data)
            written += data
        assert run.wait(60) in (0, 1)
    os.close(ours)
    return screen, written.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that nobody will write any more
        return b""


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_line_shows_what_is_on_its_way_and_is_gone_in_the_end(demo: Demo, slow_url: str, workers: str) -> None:
    screen, _ = on_a_terminal(demo, slow_url, workers)
    told = "\n".join(screen.taken_away)
    for part in ("s: demo waiting", "s: demo reasoning ~", "s: demo answering ~", "tok/s"):
        assert part in told
    assert all(line.startswith("s: demo ") for line in screen.taken_away)
    left = "\n".join(screen.display)
    assert "report:" in left
    assert "s: demo" not in left


@pytest.mark.parametrize("options", [["-q"], ["-n2", "-q"]])
def test_nothing_of_it_when_quiet_is_asked_for(demo: Demo, slow_url: str, options: Sequence[str]) -> None:
    _, written = on_a_terminal(demo, slow_url, *options)
    assert "s: demo" not in written


def test_nothing_of_it_on_a_terminal_that_cannot_clear_a_line(demo: Demo, slow_url: str) -> None:
    _, written = on_a_terminal(demo, slow_url, term="dumb")
    assert "s: demo" not in written


def test_nothing_of_it_in_a_file(demo: Demo, slow_url: str) -> None:
    result = demo.run(f"--llm-endpoint=s={slow_url}")
    assert "s: demo" not in result.stdout.str() + result.stderr.str()
