from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import CaseKey, Completion, Exchange
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.runfolder import RunFolder, write_whole

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


def test_a_claim_holds_against_threads_and_processes_until_it_is_closed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    claim = folder.claim("x")
    assert claim is not None
    assert folder.claim("x") is None
    ask = f"""
from pathlib import Path
from pytest_llmbench.runfolder import RunFolder
print(RunFolder(Path({str(tmp_path)!r})).claim("x") is None)
"""
    assert subprocess.check_output([sys.executable, "-c", ask], text=True) == "True\n"
    claim.close()
    assert subprocess.check_output([sys.executable, "-c", ask], text=True) == "False\n"


def test_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    die = f"""
from pathlib import Path
from pytest_llmbench.runfolder import RunFolder
held = RunFolder(Path({str(tmp_path)!r})).claim("x")
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", die], check=False)
    claim = RunFolder(tmp_path).claim("x")
    assert claim is not None
    claim.close()


def test_lines_of_many_writers_stay_whole(tmp_path: Path) -> None:
    def write(writer: int) -> None:
        for number in range(50):
            RunFolder(tmp_path).append("test", {"writer": writer, "number": number, "pad": "x" * 9000})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert len(lines) == 400


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


def check(nodeid: str, outcome: Outcome = Outcome.PASSED) -> Check:
    return Check("new", "zmq", "works", 1, outcome, None, 0.1, nodeid)


def test_the_last_verdict_on_a_check_counts_and_lines_that_are_none_do_not(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.checks() == {}
    for each in (check("a", Outcome.WRONG), check("b"), check("a")):
        folder.append("check", each)
    folder.write_completion(COMPLETION)
    with (tmp_path / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"kind":"check","record":{"endpoint":"new"}}\n\xff\n{"kind":"check","rec')
    assert folder.checks() == {"a": check("a"), "b": check("b")}


def test_what_comes_after_a_line_that_was_cut_off_is_a_line_of_its_own(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.begin().close()
    (tmp_path / "journal.jsonl").write_bytes(b'{"kind":"check","rec')
    for _ in range(2):
        folder.begin(again=True).close()
    folder.append("check", check("a"))
    assert folder.checks() == {"a": check("a")}
    assert (tmp_path / "journal.jsonl").read_bytes().count(b"\n") == 2


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
