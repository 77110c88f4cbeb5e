"""What the pool says is taken as hostile: a fault of the answer's, never an error of ours."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from typing import Any

import pytest

from pytest_llmbench import AnswerFault
from suites.stratum.miner import Miner
from suites.stratum.rubbish import all_rubbish, every_kind
from suites.stratum.wire import parse_difficulty, parse_line, parse_notify, parse_subscription

NOTIFY: list[Any] = ["1", "00" * 32, "aa", "bb", ["cc" * 32], "20000000", "1d00ffff", "60000000", True]


def test_a_notify_is_read() -> None:
    notify = parse_notify(NOTIFY)
    assert (notify.coinb1, notify.branch, notify.clean_jobs) == (b"\xaa", (b"\xcc" * 32,), True)
    assert notify.is_of(0x60000000)


@pytest.mark.parametrize("at", range(9))
@pytest.mark.parametrize("odd", [None, 1, {}, [[]], "\ud800", 10**4000, float("nan")], ids=ascii)
def test_odd_params_of_notify_are_the_answers_fault_or_kept_as_text(at: int, odd: object) -> None:
    try:
        parse_notify([*NOTIFY[:at], odd, *NOTIFY[at + 1 :]])
    except AnswerFault as fault:
        str(fault).encode()


@pytest.mark.parametrize("result", [None, [], [[], "zz", 4], [[], "00", "4"], [[], "00", 10**400], [[], "0" * 999, 4]])
def test_odd_subscriptions_are_the_answers_fault(result: object) -> None:
    with pytest.raises(AnswerFault):
        parse_subscription(result)


@pytest.mark.parametrize("params", [None, [], [True], ["1"], [float("nan")], [float("inf")], [-1], [0]], ids=ascii)
def test_no_difficulty(params: object) -> None:
    assert parse_difficulty(params) is None


def test_difficulties() -> None:
    assert parse_difficulty([2]) == Fraction(2)
    assert parse_difficulty([0.5]) == Fraction(1, 2)
    assert parse_difficulty([10**400]) == 10**400


@pytest.mark.parametrize("line", [b"[" * 5000, b'{"a":' * 5000, b"\xff", b"1" * 5000, b"[]", b"null", b'"x"'])
def test_what_is_no_object(line: bytes) -> None:
    assert parse_line(line) is None


def test_a_miner_reads_the_same_whether_it_comes_whole_or_byte_by_byte() -> None:
    lines = [
        {"id": 1, "result": [[], "0a0b", 4], "error": None},
        {"id": None, "method": "mining.set_difficulty", "params": [0.25]},
        {"id": None, "method": "mining.notify", "params": NOTIFY},
        {"id": 2, "result": True, "error": None},
    ]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    for parts in ([data], [data[at : at + 1] for at in range(len(data))]):
        miner = Miner("1", lambda _: None)
        miner.introduce(["w"])
        for part in parts:
            miner.hear(part)
        assert miner.is_ready
        assert (miner.extranonce1, miner.extranonce2_bytes, miner.difficulty) == (b"\x0a\x0b", 4, Fraction(1, 4))


def test_every_kind_of_rubbish_has_a_name_of_its_own_and_ends_its_line_or_is_ended() -> None:
    kinds = every_kind(random.Random(1))  # noqa: S311 - an order
    assert len(set(kinds)) == len(kinds) > 150
    assert {rubbish.what for rubbish in all_rubbish(5, ["w", "1", "0a0b0c0d", "60000000", "01020304"])} == set(kinds)
