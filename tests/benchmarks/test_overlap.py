"""What is made of the times; the command itself takes minutes and is run by hand."""

from __future__ import annotations

import pytest

from benchmarks.overlap import Graded, Result, chain_s, replies
from benchmarks.schedule_server.wording import split


@pytest.mark.parametrize(
    ("places", "end_s"),
    [(1, 15.0), (2, 9.0), (5, 5.0), (8, 5.0)],  # two places: 1 + 3 + 5, and 2 + 4
)
def test_the_chain_is_that_of_the_places(places: int, end_s: float) -> None:
    assert chain_s([1.0, 2.0, 3.0, 4.0, 5.0], places) == pytest.approx(end_s)


def result(wall_s: float, *graded: tuple[float, float], workers: int = 0) -> Result:
    """Return a run whose answers came at those times, and took so long to grade."""
    answers = tuple(Graded("zmq", number + 1, *each) for number, each in enumerate(graded))
    model_s = max(each[0] for each in graded)
    return Result(1, workers, wall_s, model_s, 0.5, model_s + 0.25, answers)


def test_where_answers_come_one_by_one_the_last_is_graded_after_the_chain() -> None:
    found = result(44.0, (10.0, 5.0), (40.0, 2.0), (20.0, 6.0))
    assert (found.last.sample, found.left_s, found.least_s) == (2, 2.0, 42.0)
    assert found.ratio == pytest.approx(44 / 42)
    assert "ratio 1.048 (bound 1.05) ok" in found.lines(70.0)
    assert "0.50 s before the first request, 0.25 s of empty places, 3.25 s after the last answer" in found.lines(70.0)
    assert "OVER" in result(45.0, (10.0, 5.0), (40.0, 2.0)).lines(70.0)


def test_what_is_left_to_graders_who_take_up_each_answer_as_it_comes() -> None:
    came = (10.0, 5.0), (11.0, 5.0), (12.0, 5.0)
    assert result(30.0, *came).left_s == 13.0
    assert result(30.0, *came, workers=2).left_s == 8.0
    assert result(30.0, *came, workers=3).left_s == 5.0
    assert "with the grading of the last answer (zmq) only, 5.00 s: 1.765; all grading 15.00 s" in result(
        30.0, *came
    ).lines(9.0)


def test_the_server_says_the_reference_answers() -> None:
    asked = {"hiveos": "one?", "zmq": "two?"}
    found = replies(asked, interval_ms=5.0, slowest_first=False)
    assert {options["interval_ms"] for options in found.values()} == {5.0}
    assert "import zmq" in found["two?"]["answer"]
    turned = replies(asked, interval_ms=5.0, slowest_first=True)
    took_ms = {prompt: options["interval_ms"] * len(split(options["answer"])) for prompt, options in turned.items()}
    assert took_ms["one?"] > took_ms["two?"]
