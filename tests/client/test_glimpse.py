"""What an onlooker sees of an answer on its way."""

from __future__ import annotations

import pytest

from pytest_llmbench.client.glimpse import Glimpse, Onlooker
from pytest_llmbench.client.tape import Tape


def event(field: str, text: str) -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{"%s":"%s"}}]}\n\n' % (field.encode(), text.encode())


def seen(*pieces: tuple[float, bytes]) -> Glimpse:
    onlooker = Onlooker()
    onlooker.tape = Tape(1 << 20, pieces=list(pieces))
    return onlooker.look()


def test_nothing_has_come() -> None:
    assert Onlooker().look() == seen() == Glimpse(0, is_reasoning=False, chunks_s=None)


def test_a_role_is_no_text() -> None:
    assert seen((1.0, b'data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n')).chunks == 0
    assert seen((1.0, b'data: {"choices":[{"delta":{"content":null}}]}\n\n')).chunks == 0


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_and_then_the_answer(field: str) -> None:
    first = (1.0, event(field, "a")), (1.5, event(field, "b") + event(field, "c"))
    assert seen(*first) == Glimpse(3, is_reasoning=True, chunks_s=4.0)
    assert seen(*first, (2.0, event("content", "d"))) == Glimpse(4, is_reasoning=False, chunks_s=3.0)


def test_reasoning_between_tags() -> None:
    begin = (1.0, event("content", "<think>")), (2.0, event("content", "hm"))
    assert seen(*begin).is_reasoning
    assert not seen(*begin, (3.0, event("content", "</think>"))).is_reasoning


def test_each_look_goes_on_where_the_last_one_ended() -> None:
    onlooker = Onlooker()
    onlooker.tape = Tape(1 << 20)
    for number in range(1, 4):
        onlooker.tape.pieces.append((float(number), event("content", "x")))
        assert onlooker.look().chunks == number


def test_what_is_asked_for_again_begins_anew() -> None:
    onlooker = Onlooker()
    onlooker.tape = Tape(1 << 20, pieces=[(1.0, event("content", "x"))])
    assert onlooker.look().chunks == 1
    onlooker.tape = Tape(1 << 20)
    assert onlooker.look() == Glimpse()
