from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.endpoint import Endpoint, ServerInfo
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.settings import ReportTarget, Settings
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.recorder import Recorder

STARTED = Endpoint("new", server=ServerInfo(kind="vllm"))
UP = replace(STARTED, url="http://127.0.0.1:5000/v1", model="org/m", server=ServerInfo(kind="vllm", version="0.6.2"))
SLOW = SpeedRow("new", "single", 1, 0, None, None, None, rounds=1, requests=1, failed=0)
CHECK = Check("new", "zmq", "works", 1, Outcome.PASSED, None, 0.1, "suites/zmq/test_zmq.py::test_works[new]")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings((STARTED,), str(tmp_path / "run"), "r-1", "2026-01-01T00:00:00Z", 3)


def begin(settings: Settings) -> Recorder:
    return Recorder(settings, ("pytest",), time.monotonic())


def read(settings: Settings, name: str) -> Any:
    return json.loads(Path(settings.out, name).read_bytes())


def cut_off(recorder: Recorder) -> None:
    recorder._holder.close()  # what the kernel does at the end of a process


def test_the_run_is_written_down_before_anything_is_asked(settings: Settings) -> None:
    cut_off(begin(settings))
    record = read(settings, "run.json")
    assert record["schema"] == "llmbench-run/1"
    assert record["settings"]["seed"] == 3
    assert [(one["number"], one["command"]) for one in record["sessions"]] == [(1, ["pytest"])]


def test_what_was_known_of_a_server_outlives_the_session_that_asked_it(settings: Settings) -> None:
    first = begin(settings)
    first.note({"new": STARTED})
    assert not Path(settings.out, "servers").exists()
    first.note({"new": UP})
    cut_off(first)
    again = begin(replace(settings, session=2))
    again.note({"new": STARTED})
    (row,) = again.finish({"new": STARTED}).endpoints
    assert (row.url, row.model, row.server.version) == (UP.url, UP.model, "0.6.2")


def test_what_is_known_now_counts(settings: Settings) -> None:
    first = begin(settings)
    first.note({"new": UP})
    cut_off(first)
    now = replace(UP, server=ServerInfo(kind="vllm", version="0.7.0"))
    (row,) = begin(replace(settings, session=2)).finish({"new": now}).endpoints
    assert row.server.version == "0.7.0"
    (row,) = begin(settings).finish({"new": STARTED}).endpoints  # a new run in the same folder
    assert (row.url, row.server) == (None, STARTED.server)


def test_a_verdict_that_stands_is_not_written_down_twice(settings: Settings) -> None:
    first = begin(settings)
    first.add(CHECK)
    cut_off(first)
    again = begin(replace(settings, session=2))
    again.add(CHECK)
    assert Path(settings.out, "journal.jsonl").read_bytes().count(b"works") == 1 + CHECK.nodeid.count("works")
    again.add(replace(CHECK, outcome=Outcome.WRONG))
    assert [check.outcome for check in again.finish({}).checks] == [Outcome.WRONG]
    assert [one["number"] for one in read(settings, "run.json")["sessions"]] == [1, 2]


def test_a_check_that_is_judged_again_from_another_folder_counts_once(settings: Settings) -> None:
    first = begin(settings)
    first.add(CHECK)
    cut_off(first)
    again = begin(replace(settings, session=2))
    again.add(replace(CHECK, nodeid="zmq/test_zmq.py::test_works[new]"))
    assert [check.nodeid for check in again.finish({}).checks] == ["zmq/test_zmq.py::test_works[new]"]


def test_figures_of_speed_stay_until_they_are_measured_again(settings: Settings) -> None:
    first = begin(settings)
    first.add_speed("a", (SLOW, SLOW))
    first.add_speed("b", (SLOW,))
    cut_off(first)
    again = begin(replace(settings, session=2))
    again.add_speed("a", (replace(SLOW, concurrency=4),))
    assert [row.concurrency for row in again.finish({}).speed] == [4, 1]


def test_what_cannot_be_written_costs_nothing_else(settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "copy.json"
    recorder = begin(replace(settings, reports=(ReportTarget("json", str(target)),)))
    for name in ("report.json", "journal.jsonl"):
        Path(settings.out, name).mkdir()  # as good as a full disk
    recorder.add(CHECK)
    assert recorder.finish({}).checks == (CHECK,)
    assert recorder.unwritten == {
        str(Path(settings.out, name)): "Is a directory" for name in ("journal.jsonl", "report.json")
    }
    assert json.loads(target.read_bytes())["checks"][0]["outcome"] == "passed"


def test_a_report_that_cannot_be_written_is_told_before_an_earlier_run_is_moved(
    settings: Settings, tmp_path: Path
) -> None:
    begin(settings).finish({})
    with pytest.raises(UsageFault, match=r"--llm-report: cannot write .*: Is a directory"):
        begin(replace(settings, reports=(ReportTarget("json", str(tmp_path)),)))
    assert read(settings, "report.json")["checks"] == []
