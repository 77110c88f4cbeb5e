"""The lines at the bottom of a terminal while answers come."""

from __future__ import annotations

import pytest

from pytest_llmbench.inflight import InFlight
from pytest_llmbench.live import live_lines


def answer(suite: str, elapsed_s: float = 3.0, *, endpoint: str = "new", **more: object) -> InFlight:
    given = {"sample": 1, "chunks": 0, "chunks_s": None, "is_reasoning": False} | more
    return InFlight(endpoint=endpoint, suite=suite, elapsed_s=elapsed_s, **given)  # type: ignore[arg-type]


def test_nothing_on_its_way() -> None:
    assert live_lines([], 80) == []


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (answer("zmq"), "new: zmq waiting 3 s"),
        (answer("zmq", chunks=1), "new: zmq answering ~1 tok 3 s"),
        (answer("zmq", chunks=90, chunks_s=45.04), "new: zmq answering ~90 tok 45.0 tok/s 3 s"),
        (answer("zmq", chunks=90, is_reasoning=True, sample=2), "new: zmq-s2 reasoning ~90 tok 3 s"),
    ],
)
def test_one_answer(one: InFlight, told: str) -> None:
    assert live_lines([one], 80) == [told]


def test_a_line_for_each_endpoint_and_the_longest_first() -> None:
    found = live_lines([answer("zmq", 1.0), answer("pplns", 9.0), answer("zmq", endpoint="old")], 80)
    assert found == ["new: pplns waiting 9 s | zmq waiting 1 s", "old: zmq waiting 3 s"]


def test_no_line_is_as_wide_as_the_terminal() -> None:
    (line,) = live_lines([answer(f"suite{number}") for number in range(20)], 60)
    assert len(line) == 59
    assert line.endswith("…")
