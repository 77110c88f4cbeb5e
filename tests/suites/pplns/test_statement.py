"""The payout file of a candidate: whatever it holds is read, or it is the candidate's fault."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from pytest_llmbench import AnswerFault
from suites.pplns.judge import Payday
from suites.pplns.rules import Block, Share, Terms, walk
from suites.pplns.statement import Statement, read_statement

BLOCK = Block(700, "00", 1_000_003, 40, 12)
SHARES = tuple(
    Share(number, address, "rig1", difficulty, "")
    for number, address, difficulty in ((1, "old", 9), (5, "b", 10), (9, "a", 20), (12, "b", 10), (13, "new", 9))
)
TERMS = Terms(Fraction(1), Fraction(1), 100)
GOOD = {"height": 700, "reward": 1_000_003, "fee": 10_000, "payouts": {"a": 495_001, "b": 495_002}}


def payday(**changed: object) -> Payday:
    statement = read_statement("payouts-700.json", json.dumps({**GOOD, **changed}).encode(), BLOCK)
    return Payday(BLOCK, TERMS, walk(SHARES, BLOCK, TERMS), statement)


def test_a_right_file() -> None:
    assert payday().statement == Statement(10_000, (("a", 495_001), ("b", 495_002)))
    assert payday().payouts_mismatch is None
    assert payday().fee_mismatch is None


def test_nothing_for_somebody_without_a_part_is_right() -> None:
    assert payday(payouts={"a": 495_001, "b": 495_002, "old": 0}).payouts_mismatch is None


@pytest.mark.parametrize(
    ("fee", "payouts", "told"),
    [
        (10_000, {"a": 495_001, "b": 495_001}, "not together the reward"),
        (10_000, {"a": 495_009, "b": 494_994}, "instead of"),
        (10_000, {"a": 990_003}, "instead of"),
        (10_000, {"a": 495_001, "b": 495_001, "old": 1}, "has none of"),
        (1_000_001, {"a": 1, "b": 1}, "the pool kept"),
        (0, {}, "not together the reward"),
    ],
)
def test_wrong_payouts(fee: int, payouts: dict[str, int], told: str) -> None:
    mismatch = payday(fee=fee, payouts=payouts).payouts_mismatch
    assert mismatch is not None
    assert told in mismatch


def test_a_wrong_fee_is_told_apart_from_wrong_payouts() -> None:
    day = payday(fee=20_001, payouts={"a": 490_001, "b": 490_001})
    assert day.payouts_mismatch is None
    assert day.fee_mismatch is not None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\xfd",
        b"\xed\xa0\x80",
        b"[" * 100_000,
        b'{"height": ' + b"9" * 5000 + b"}",
        b"null",
        b"[]",
        b'{"payouts": {}}',
        b'{"height": 700, "reward": 1000003, "fee": 1000003, "fee": 1000003, "payouts": {}}',
        b"{}",
    ],
)
def test_what_is_no_such_file_is_the_answers_fault(content: bytes) -> None:
    with pytest.raises(AnswerFault):
        read_statement("payouts-700.json", content, BLOCK)


@pytest.mark.parametrize(
    "value", [None, True, 1.0, float("nan"), float("inf"), "1", -1, 2**63, 10**4000, [[[]]], {}, "\ud800"]
)
@pytest.mark.parametrize("key", ["height", "reward", "fee", "payout"])
def test_what_is_no_amount_is_the_answers_fault(key: str, value: object) -> None:
    changed = {"payouts": {"\ud800\n": value}} if key == "payout" else {key: value}
    with pytest.raises(AnswerFault) as caught:
        payday(**changed)
    str(caught.value).encode()
    assert len(str(caught.value)) < 250
