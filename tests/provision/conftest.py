"""What the tests of server processes share: a tree of processes, and the line that all of it holds."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_llmbench.provision.process import ServerProcess
from tests.provision.bench import Bench
from tests.provision.line import PATIENCE_S, Line, line_at

TREE = Path(__file__).with_name("tree.py")
STUBBORN = ("ignore-sigterm", "worker", "daemon", "daemon")
SOON_S, LATE_S = 0.3, 600.0
"""Times to SIGKILL: soon, and never within a test."""


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with line_at(tmp_path / "line") as line:
        yield line


Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a command and has it stopped in the end, whatever happens."""
    started: list[ServerProcess] = []

    def start(argv: Sequence[str], env: Mapping[str, str] = os.environ, folder: str = "") -> ServerProcess:
        started.append(ServerProcess(argv, env, folder, tmp_path / "log", SOON_S))
        return started[-1]

    yield start
    for process in started:
        process.stop(0.0)


@pytest.fixture
def grow(start: Start, line: Line) -> Start:
    """Return a function that starts a tree with the given habits, and waits until it has grown."""

    def grow(*habits: str, **how: Any) -> ServerProcess:
        process = start(words(line, *habits), **how)
        line.wait_for("ready")
        return process

    return grow


def words(line: Line, *habits: str) -> list[str]:
    return [sys.executable, str(TREE), str(line.path), *habits]


def wait_until_ended(process: ServerProcess) -> str:
    deadline_s = time.monotonic() + PATIENCE_S
    while (ended := process.ended) is None:
        assert time.monotonic() < deadline_s, "it did not end"
        time.sleep(0.01)
    return ended


def keeper_of(process: ServerProcess) -> psutil.Process:
    parent = psutil.Process(process.pid).parent()
    assert parent is not None
    return parent


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    bench = Bench(tmp_path, temporary)
    yield bench
    bench.stop()
    assert bench.left() == []
    assert [*temporary.iterdir()] == []
