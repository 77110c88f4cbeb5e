from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.completion import Completion, Exchange
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.runlocks import GRADING
from pytest_llmbench.takeover import take

COMPLETION = Completion("new", "zmq", 1, {"model": "m"}, "2026-01-01T00:00:00Z", Exchange("hello"))


def test_a_run_that_is_gone_on_with_keeps_all_and_a_new_one_begins_empty(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    take(folder).close()
    folder.write_completion(COMPLETION)
    folder.write("servers/new-1.log", b"up")
    folder.write("candidates/new/zmq-s1/.env", b"")
    folder.write("candidates/new/zmq-s1/.pay.py.0123456789abcdef", b"cut o")
    take(folder, again=True).close()
    assert [path.name for path in folder.path.glob("candidates/*/*/*")] == [".env"]
    assert folder.completions() == (COMPLETION,)
    (log,) = (folder.path / "servers").iterdir()  # the next server is the first one of its session
    assert (log.name != "new-1.log", log.read_bytes()) == (True, b"up")
    take(folder).close()
    assert folder.completions() == ()
    assert len(list(tmp_path.glob("run.*/servers/new-1.*.log"))) == 1


def test_a_run_that_somebody_writes_to_is_not_gone_on_with(tmp_path: Path) -> None:
    held = take(RunFolder(tmp_path))
    with pytest.raises(UsageFault, match="another run is writing there"):
        take(RunFolder(tmp_path), again=True)
    held.close()


def test_every_run_that_was_left_in_a_folder_is_kept_also_those_that_look_alike(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    for number in range(3):
        take(folder).close()
        report = folder.write("report.json", str(number).encode())
        os.utime(report, (10**9, 10**9))  # as copied, or where moving the run aside was cut off
    take(folder).close()
    assert {path.read_text() for path in tmp_path.glob("run.*/report.json")} == {"0", "1", "2"}


def test_a_new_run_waits_for_those_who_still_write_for_one_that_was_killed(tmp_path: Path) -> None:
    killed = RunFolder(tmp_path / "run")
    worker = killed.share(GRADING)
    assert worker is not None
    with ThreadPoolExecutor() as pool:
        take(RunFolder(killed.path), again=True).close()  # what still comes is of use to it
        beginning = pool.submit(take, RunFolder(killed.path))
        while not killed.is_abandoned and not beginning.done():
            time.sleep(0.01)
        killed.write_completion(COMPLETION)
        assert not beginning.done()
        worker.close()
        beginning.result().close()
    assert (killed.completions(), killed.is_abandoned) == ((), False)
    assert len(list(tmp_path.glob("run.*/completions/new/*"))) == 1


@pytest.mark.parametrize("again", [False, True])
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, again: bool) -> None:  # noqa: FBT001 - of parametrize
    (tmp_path / "file").touch()
    with pytest.raises(
        UsageFault, match=f"--llm-{'resume' if again else 'out'}=.*: cannot write there: Not a directory"
    ):
        take(RunFolder(tmp_path / "file" / "run"), again=again)
