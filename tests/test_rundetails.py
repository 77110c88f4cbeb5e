from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_llmbench.model.completion import CaseKey, Completion, Exchange
from pytest_llmbench.model.report import SuiteRow
from pytest_llmbench.reports.details import Details
from pytest_llmbench.rundetails import MAX_TEXT_BYTES, RunDetails
from pytest_llmbench.runfolder import RunFolder, candidate_path

COMPLETION = Completion("new", "zmq", 2, {}, "2026-01-01T00:00:00Z", Exchange("hello"))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    (tmp_path / "secret.txt").write_text("outside")
    folder = RunFolder(tmp_path / "run")
    folder.write_completion(COMPLETION)
    folder.write_suite(SuiteRow("zmq", "Blocks", "easy", "0", "1"), "Repair it: \u2028", {"a/b.py": b"x = 1\n"})
    folder.write(f"{candidate_path(COMPLETION.key)}/a/b.py", b"x = 2\n")
    folder.write(f"{candidate_path(COMPLETION.key)}/run.sh", b"\xff\n")
    folder.write("logs/new/zmq-s2/look.log", b"--- stdout\n")
    return folder


def test_what_the_run_kept_is_read(run: RunFolder) -> None:
    details: Details = RunDetails(run.path)
    assert details.completion("new", "zmq", 2) == COMPLETION
    assert details.prompt("zmq") == "Repair it: \u2028"
    assert details.program("zmq") == {"a/b.py": "x = 1\n"}
    assert details.candidate("new", "zmq", 2) == {"a/b.py": "x = 2\n", "run.sh": "\ufffd\n"}
    assert details.text("logs/new/zmq-s2/look.log") == "--- stdout\n"
    assert [(row.name, row.difficulty) for row in run.suites()] == [("zmq", "easy")]


def test_reasoning_between_tags_is_no_part_of_the_answer(run: RunFolder) -> None:
    exchange = Exchange("<think>\nSockets have owners.\n</think>\nHere it is.", "Hm.")
    run.write_completion(replace(COMPLETION, exchange=exchange))
    found = RunDetails(run.path).completion("new", "zmq", 2)
    assert found is not None
    assert found.exchange == Exchange("Here it is.", "Hm.\n\nSockets have owners.")


def test_what_the_run_did_not_keep_is_not_there(tmp_path: Path) -> None:
    details = RunDetails(tmp_path / "none")
    assert details.completion("new", "zmq", 1) is None
    assert details.prompt("zmq") is None
    assert details.program("zmq") == {}
    assert details.candidate("new", "zmq", 1) == {}
    assert details.text("logs") is None


@pytest.mark.parametrize("name", ["..", "../..", "a/../../..", "/etc", "\0", "x" * 5000])
def test_nothing_outside_the_run_is_read_whatever_its_report_says(run: RunFolder, name: str) -> None:
    details = RunDetails(run.path)
    assert details.text(f"{name}/secret.txt") is None
    assert details.text("logs/../../secret.txt") is None
    assert details.completion(name, "zmq", 1) is None
    assert details.prompt(name) is None
    assert details.program(f"../{name}") == {}
    assert details.candidate(name, "../..", 1) == {}


def test_a_link_out_of_the_run_is_not_followed(run: RunFolder) -> None:
    (run.path / "logs" / "out.log").symlink_to(run.path.parent / "secret.txt")
    assert RunDetails(run.path).text("logs/out.log") is None


def test_of_a_huge_text_both_ends_are_given(run: RunFolder) -> None:
    run.write("logs/huge.log", b"begin" + b"." * MAX_TEXT_BYTES + b"end")
    text = RunDetails(run.path).text("logs/huge.log")
    assert text is not None
    assert (text[:5], text[-3:]) == ("begin", "end")
    assert "\n… 8 bytes left out …\n" in text
    assert len(text) < MAX_TEXT_BYTES + 100


def test_a_completion_that_is_none_is_not_there(run: RunFolder) -> None:
    run.write("completions/new/pplns-s1.json", b"{}")
    assert RunDetails(run.path).completion("new", "pplns", 1) is None
    assert run.read_completion(CaseKey("new", "pplns", 1)) is None
