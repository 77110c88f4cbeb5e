from __future__ import annotations

from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.stats.answers import distinct, origins, repetitions
from tests.stats.making import answer_row, checks

ROWS = [
    answer_row("new", "zmq", 3, "aa"),
    answer_row("new", "zmq", 1, "aa"),
    answer_row("new", "zmq", 2, "bb"),
    answer_row("new", "pplns", 1, "aa"),
    answer_row("new", "pplns", 2, None),
    answer_row("new", "pplns", 3, None),
    answer_row("old", "zmq", 1, "aa"),
]


def test_the_first_of_equal_answers_of_one_endpoint_and_suite_stands_for_them() -> None:
    found = origins(ROWS)
    assert found[CaseKey("new", "zmq", 3)] == CaseKey("new", "zmq", 1)
    assert {key for key, first in found.items() if key == first} == {
        CaseKey("new", "zmq", 1),
        CaseKey("new", "zmq", 2),
        CaseKey("new", "pplns", 1),
        CaseKey("old", "zmq", 1),
    }
    assert repetitions(ROWS, found) == {("new", "zmq"): 1}


def test_a_repeated_answer_counts_once() -> None:
    own = checks("new", zmq=["PW", "PP", "PW"])
    assert [(one.sample, one.check) for one in distinct(own, origins(ROWS))] == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]


def test_a_verdict_that_one_repetition_lacks_is_taken_from_another() -> None:
    own = checks("new", zmq=["IW", "PP", "WW"])
    kept = {(one.sample, one.check): one for one in distinct(own, origins(ROWS))}
    assert kept[1, "a"].outcome == "wrong"
    assert kept[1, "a"].nodeid.endswith("[new-s3]")
    assert len(kept) == 4


def test_answers_of_which_nothing_is_known_are_all_different() -> None:
    own = checks("new", pplns=["P", "P", "P"])
    assert distinct(own, origins(ROWS)) == own
