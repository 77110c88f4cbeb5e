from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.stats.answers import distinct, draws_anew, origins, repetitions
from tests.stats.making import answer_row, asked_at, checks, report

ROWS = [
    answer_row("new", "zmq", 3, "aa"),
    answer_row("new", "zmq", 1, "aa"),
    answer_row("new", "zmq", 2, "bb"),
    answer_row("new", "pplns", 1, "aa"),
    answer_row("new", "pplns", 2, None),
    answer_row("new", "pplns", 3, None),
    answer_row("old", "zmq", 1, "aa"),
]
GREEDY = report({"new": (), "old": ()}, ROWS)


def test_the_first_of_equal_answers_of_one_endpoint_and_suite_stands_for_them() -> None:
    found = origins(GREEDY)
    assert found[CaseKey("new", "zmq", 3)] == CaseKey("new", "zmq", 1)
    assert {key for key, first in found.items() if key == first} == {
        CaseKey("new", "zmq", 1),
        CaseKey("new", "zmq", 2),
        CaseKey("new", "pplns", 1),
        CaseKey("old", "zmq", 1),
    }
    assert repetitions(GREEDY) == {("new", "zmq"): 1}


def test_answers_that_were_drawn_anew_all_count_whatever_they_say() -> None:
    # A model that gives nothing in every second answer fails every second time, not once.
    warm = asked_at(0.7, GREEDY)
    assert (origins(warm), repetitions(warm)) == ({}, {})
    own = checks("new", zmq=["PW", "PP", "PW"])
    assert distinct(own, origins(warm)) == own


@pytest.mark.parametrize(
    ("temperature", "extra", "anew"),
    [
        (0.0, {}, False),
        (0.7, {}, True),
        (0.7, {"temperature": 0}, False),
        (0.0, {"temperature": 1.0}, True),
        (0.7, {"top_k": 1}, False),
        (0.7, {"seed": 5}, False),
        (0.7, {"top_k": 20}, True),
    ],
)
def test_what_was_sent_tells_whether_answers_are_drawn_anew(
    temperature: float, extra: dict[str, Any], *, anew: bool
) -> None:
    (row, _) = asked_at(temperature, GREEDY).endpoints
    assert draws_anew(replace(row, extra_body=extra)) is anew


@pytest.mark.parametrize(("replay", "anew"), [("", False), ("answers", False), ("/runs/old/completions/m", True)])
def test_of_recorded_answers_only_those_of_a_run_were_drawn(replay: str, *, anew: bool) -> None:
    (row, _) = asked_at(0.7, GREEDY).endpoints
    assert draws_anew(replace(row, replay=replay)) is anew


def test_a_repeated_answer_counts_once() -> None:
    own = checks("new", zmq=["PW", "PP", "PW"])
    assert [(one.sample, one.check) for one in distinct(own, origins(GREEDY))] == [
        (1, "a"),
        (1, "b"),
        (2, "a"),
        (2, "b"),
    ]


def test_a_verdict_that_one_repetition_lacks_is_taken_from_another() -> None:
    own = checks("new", zmq=["IW", "PP", "WW"])
    kept = {(one.sample, one.check): one for one in distinct(own, origins(GREEDY))}
    assert kept[1, "a"].outcome == "wrong"
    assert kept[1, "a"].nodeid.endswith("[new-s3]")
    assert len(kept) == 4


def test_answers_of_which_nothing_is_known_are_all_different() -> None:
    own = checks("new", pplns=["P", "P", "P"])
    assert distinct(own, origins(GREEDY)) == own
