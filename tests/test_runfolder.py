from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.completion import CaseKey, Completion, Exchange
from pytest_llmbench.model.runrecord import RUN_SCHEMA, RunRecord, Session
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.runfolder import RunFolder, write_as_typed, write_whole
from pytest_llmbench.runlocks import GRADING

COMPLETION = Completion("new", "zmq", 1, {"model": "m"}, "2026-01-01T00:00:00Z", Exchange("hello \u2028 \U0001f44b"))


def test_a_completion_comes_back_as_it_was_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    assert folder.read_completion(COMPLETION.key) is None
    folder.write_completion(COMPLETION)
    assert folder.read_completion(CaseKey("new", "zmq", 1)) == COMPLETION
    assert folder.completions() == (COMPLETION,)
    (line,) = (tmp_path / "run" / "journal.jsonl").read_text("utf-8").split("\n")[:-1]
    assert json.loads(line)["record"]["transcript"] == "completions/new/zmq-s1.json"


def test_nothing_is_made_before_something_is_written(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.completions()
    assert not (tmp_path / "run").exists()


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "report.json", b"old")
    path.chmod(0o444)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "full").touch()
    try:
        write_whole(tmp_path / "folder", b"cannot replace a folder")
    except OSError:
        pass
    else:
        raise AssertionError("a folder was replaced")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder", "report.json"]


def test_a_run_that_is_gone_on_with_keeps_all_and_a_new_one_begins_empty(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.begin().close()
    folder.write_completion(COMPLETION)
    folder.write("servers/new-1.log", b"up")
    folder.write("candidates/new/zmq-s1/.env", b"")
    folder.write("candidates/new/zmq-s1/.pay.py.0123456789abcdef", b"cut o")
    folder.begin(again=True).close()
    assert [path.name for path in folder.path.glob("candidates/*/*/*")] == [".env"]
    assert folder.completions() == (COMPLETION,)
    (log,) = (folder.path / "servers").iterdir()  # the next server is the first one of its session
    assert (log.name != "new-1.log", log.read_bytes()) == (True, b"up")
    folder.begin().close()
    assert folder.completions() == ()
    assert len(list(tmp_path.glob("run.*/servers/new-1.*.log"))) == 1


def test_a_run_that_somebody_writes_to_is_not_gone_on_with(tmp_path: Path) -> None:
    held = RunFolder(tmp_path).begin()
    with pytest.raises(UsageFault, match="another run is writing there"):
        RunFolder(tmp_path).begin(again=True)
    held.close()


def test_what_the_user_named_is_written_into_where_it_is_no_plain_file(tmp_path: Path) -> None:
    there, link, plain = (tmp_path / name for name in ("there.json", "link.json", "new/plain.json"))
    link.symlink_to(there)
    for path in (link, plain):
        write_as_typed(path, b"report")
    assert link.is_symlink()
    assert (there.read_bytes(), plain.read_bytes()) == (b"report", b"report")
    write_as_typed(Path(os.devnull), b"report")
    assert not Path(os.devnull).is_file()


def test_every_run_that_was_left_in_a_folder_is_kept_also_those_that_look_alike(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    for number in range(3):
        folder.begin().close()
        report = folder.write("report.json", str(number).encode())
        os.utime(report, (10**9, 10**9))  # as copied, or where moving the run aside was cut off
    folder.begin().close()
    assert {path.read_text() for path in tmp_path.glob("run.*/report.json")} == {"0", "1", "2"}


def test_a_new_run_waits_for_those_who_still_write_for_one_that_was_killed(tmp_path: Path) -> None:
    killed = RunFolder(tmp_path / "run")
    worker = killed.share(GRADING)
    assert worker is not None
    with ThreadPoolExecutor() as pool:
        RunFolder(killed.path).begin(again=True).close()  # what still comes is of use to it
        beginning = pool.submit(RunFolder(killed.path).begin)
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
        RunFolder(tmp_path / "file" / "run").begin(again=again)


def test_a_run_without_a_session_is_none(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    settings = Settings((), str(tmp_path), "r-1", "2026-01-01T00:00:00Z", 3)
    record = RunRecord(RUN_SCHEMA, settings, (Session(1, settings.started_at, "0.1.0", ("pytest",)),))
    folder.write_run(record)
    assert folder.run_record() == record
    folder.write_run(replace(record, sessions=()))
    assert folder.run_record() is None
