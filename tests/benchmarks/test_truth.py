from __future__ import annotations

import pytest

from benchmarks.schedule_server import Entry, Written
from benchmarks.schedule_server.log import decode, encode
from benchmarks.truth import Figures, mean, rank, truth


def entry(writes: list[tuple[float, int]], reasoning: int = 0) -> Entry:
    """Make the log of an answer to a request that came at 100 s; each write is due 1 ms before it is made."""
    tokens = sum(count for _, count in writes)
    return Entry(
        request=0,
        connection=0,
        path="/v1/chat/completions",
        model="m",
        user="u",
        arrived_s=100.0,
        read_s=100.0,
        schedule={},
        prompt_tokens=1,
        cached_tokens=0,
        completion_tokens=tokens,
        reasoning_tokens=reasoning,
        finish_reason="stop",
        first_due_s=101.0,
        bound_tok_s=0.0,
        catch_up=True,
        writes=[Written(100 + at_s - 0.001, 100 + at_s, count) for at_s, count in writes],
        is_whole=True,
    )


def test_the_tokens_of_the_first_write_are_outside_the_interval() -> None:
    found = truth(entry([(0.5, 0), (1.0, 3), (1.3, 3), (1.5, 2), (1.5, 0)]))
    assert found.ttft_s == pytest.approx(1.0)
    assert found.decode_tok_s == pytest.approx(10.0)
    assert found.itl_p99_s == pytest.approx(0.1)
    assert found.tokens == 8


def test_the_longest_gap_of_few_and_the_99th_of_many() -> None:
    few = [(1 + 0.01 * number, 1) for number in range(10)]
    assert truth(entry([*few, (2.09, 1)])).itl_p99_s == pytest.approx(1.0)
    many = [(1 + 0.01 * number, 1) for number in range(200)]
    assert truth(entry([*many, (12.99, 1)])).itl_p99_s == pytest.approx(0.01)


def test_the_answer_begins_after_the_reasoning() -> None:
    assert truth(entry([(1.0, 2), (2.0, 2), (3.0, 2)], reasoning=4)).ttft_answer_s == pytest.approx(3.0)
    assert truth(entry([(1.0, 2), (2.0, 2)], reasoning=4)).ttft_answer_s is None


def test_what_one_write_or_none_cannot_show() -> None:
    one = truth(entry([(1.0, 5)]))
    assert (one.decode_tok_s, one.itl_p99_s, one.tokens) == (None, None, 5)
    assert truth(entry([(1.0, 0)])) == Figures(tokens=0)


def test_a_mean_leaves_out_what_is_unknown() -> None:
    assert mean([Figures(ttft_s=1.0), Figures(ttft_s=3.0, tokens=2), Figures()]) == Figures(ttft_s=2.0, tokens=2)
    assert mean([]) == Figures()


@pytest.mark.parametrize(("share", "wanted"), [(0.01, 1), (0.5, 50), (0.99, 99), (1.0, 100)])
def test_a_rank_is_a_value_that_was_there(share: float, wanted: float) -> None:
    assert rank(range(100, 0, -1), share) == wanted
    assert rank([], share) is None


def test_the_log_survives_its_encoding() -> None:
    one = entry([(1.0, 1), (1.2, 1)])
    line = encode(one)
    assert decode([line]) == [one]
    assert b'"late_max_s":0.001' in line
