from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pytest_llmbench.model.completion import CaseKey, Completion, Exchange
from pytest_llmbench.model.runrecord import RUN_SCHEMA, RunRecord, Session
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.runfolder import RunFolder

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


def test_a_run_without_a_session_is_none(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    settings = Settings((), str(tmp_path), "r-1", "2026-01-01T00:00:00Z", 3)
    record = RunRecord(RUN_SCHEMA, settings, (Session(1, settings.started_at, "0.1.0", ("pytest",)),))
    folder.write_run(record)
    assert folder.run_record() == record
    folder.write_run(replace(record, sessions=()))
    assert folder.run_record() is None
