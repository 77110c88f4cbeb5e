from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from pytest_llmbench.runlocks import RunLocks


def test_a_claim_holds_against_threads_and_processes_until_it_is_closed(tmp_path: Path) -> None:
    locks = RunLocks(tmp_path)
    claim = locks.claim("x")
    assert claim is not None
    assert locks.claim("x") is None
    ask = f"""
from pathlib import Path
from pytest_llmbench.runlocks import RunLocks
print(RunLocks(Path({str(tmp_path)!r})).claim("x") is None)
"""
    assert subprocess.check_output([sys.executable, "-c", ask], text=True) == "True\n"
    claim.close()
    assert subprocess.check_output([sys.executable, "-c", ask], text=True) == "False\n"


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    die = f"""
import os
from pathlib import Path
from pytest_llmbench.runlocks import RunLocks
held = RunLocks(Path({str(tmp_path)!r})).claim("x")
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", die], check=False).returncode == -9
    claim = RunLocks(tmp_path).claim("x")
    assert claim is not None
    claim.close()


def test_to_look_at_a_lock_takes_none_and_makes_nothing(tmp_path: Path) -> None:
    locks = RunLocks(tmp_path)
    assert not locks.is_claimed("x")
    assert not list(tmp_path.iterdir())
    held = locks.claim("x")
    assert held is not None
    assert locks.is_claimed("x")
    held.close()
    assert not locks.is_claimed("x")


def test_what_is_shared_is_shared_until_one_wants_it_alone(tmp_path: Path) -> None:
    locks = RunLocks(tmp_path)
    first, second = locks.share("x"), locks.share("x")
    assert first is not None
    assert second is not None
    assert locks.claim("x") is None
    first.close()
    second.close()
    alone = locks.claim("x")
    assert alone is not None
    assert locks.share("x") is None
    alone.close()


def test_a_lock_that_was_removed_while_it_was_taken_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks, flock = RunLocks(tmp_path), fcntl.flock
    ending = [locks.tidy]

    def lock_late(handle: IO[bytes], how: int) -> None:
        if ending:
            ending.pop()()  # as a run does that ends at this moment
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    claim = locks.claim("x")
    assert claim is not None
    assert locks.claim("x") is None
    claim.close()
