from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_llmbench.journal import Journal, check_key
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.speed import SpeedRow

WORKS = "suites/zmq/test_zmq.py::test_works[new]"
STOPS = "suites/zmq/test_zmq.py::test_stops[new]"
ANSWER = {"endpoint": "new", "suite": "zmq", "sample": 1, "transcript": "completions/new/zmq-s1.json", "error": None}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "run" / "journal.jsonl")


def check(nodeid: str, outcome: Outcome = Outcome.PASSED, sample: int = 1) -> Check:
    return Check("new", "zmq", nodeid.partition("test_")[2], sample, outcome, None, 0.1, nodeid)


def speed(workload: str, concurrency: int) -> SpeedRow:
    return SpeedRow("new", workload, concurrency, 0, None, None, None, rounds=1, requests=1, failed=0)


def test_lines_of_many_writers_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "run" / "journal.jsonl"

    def write(writer: int) -> None:
        for number in range(50):
            Journal(path).append("test", {"writer": writer, "number": number, "pad": "x" * 9000})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 400


def test_the_last_verdict_on_a_check_counts_and_lines_that_are_none_do_not(journal: Journal) -> None:
    assert journal.checks() == {}
    journal.append("completion", ANSWER)
    for each in (check(WORKS, Outcome.WRONG), check(STOPS), check(WORKS)):
        journal.append("check", each)
    with journal.path.open("ab") as file:
        file.write(b'{"kind":"check","record":{"endpoint":"new"}}\n\xff\n\0\0\0\n{"kind":"check","rec')
    assert journal.checks() == {WORKS: check(WORKS), STOPS: check(STOPS)}


def test_what_comes_after_a_line_that_was_cut_off_is_a_line_of_its_own(journal: Journal) -> None:
    journal.append("completion", ANSWER)
    with journal.path.open("ab") as file:
        file.write(b'{"kind":"check","rec')
    for each in (check(WORKS), check(STOPS)):
        journal.append("check", each)
    assert set(journal.checks()) == {WORKS, STOPS}
    assert journal.path.read_bytes().count(b"\n") == 4


def test_no_verdict_on_an_answer_that_was_lost_is_one_on_the_next(journal: Journal) -> None:
    other = check(WORKS.replace("[new]", "[new-s2]"), sample=2)
    journal.append("completion", ANSWER)
    for each in (check(WORKS), other, check(STOPS)):
        journal.append("check", each)
    journal.append("completion", ANSWER)
    journal.append("check", check(STOPS, Outcome.WRONG))
    assert list(journal.checks().values()) == [other, check(STOPS, Outcome.WRONG)]


def test_a_check_is_the_same_wherever_pytest_was_started(journal: Journal) -> None:
    elsewhere = "zmq/test_zmq.py::test_works[new]"
    for nodeid in (WORKS, elsewhere):
        journal.append("check", check(nodeid))
    assert set(journal.checks()) == {elsewhere}
    assert (
        len({check_key(check(nodeid)) for nodeid in (WORKS, elsewhere, STOPS, WORKS.replace("_zmq.py", "_b.py"))}) == 3
    )


def test_of_a_test_that_measured_twice_the_last_figures_count(journal: Journal) -> None:
    journal.append("speed", speed("older", 1))  # as journals had it once
    for levels in ((1, 2, 4), (1, 8)):
        for row, level in enumerate(levels, 1):
            journal.append("speed", speed("sweep", level), nodeid="a", row=row)
        journal.append("speed", speed("single", 1), nodeid="b", row=1)
    found = [(row.workload, row.concurrency) for rows in journal.speed().values() for row in rows]
    assert found == [("older", 1), ("sweep", 1), ("sweep", 8), ("single", 1)]
