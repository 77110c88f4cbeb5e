"""What is paid, booked and owed, and what is said when these do not agree."""

from __future__ import annotations

from decimal import Decimal

import pytest

from suites.payment.ledger import REFUSED, TROUBLES, Books, Due, Payment, Payout, number

HALF = Decimal("0.5")


def books(due: Due, status: str, *txids: str, txid: str | None = None, asked: bool = False) -> Books:
    payments = tuple(
        Payment(0.1 * at, each, due.address, due.amount, due.reference) for at, each in enumerate(txids, 1)
    )
    row = Payout(due.payout_id, "rig1", due.address, due.amount, None, status, txid)
    return Books((due,), payments, (row,), frozenset({due.reference} if asked else ()))


def test_a_payout_that_was_sent_twice_is_told_with_its_times() -> None:
    seen = books(Due(17, "bc1q", HALF), "paid", "aa", "bb", txid="bb")
    assert seen.paid_twice == "payout 17 was sent twice: at 0.100 s and 0.200 s"


@pytest.mark.parametrize(
    ("trouble", "status", "paid"),
    [("", "paid", True), (REFUSED, "failed", False)]
    + [(trouble, "unknown", trouble.startswith("paid")) for trouble in TROUBLES]
    + [(trouble, "paid", True) for trouble in TROUBLES],
)
def test_books_that_are_right(trouble: str, status: str, *, paid: bool) -> None:
    seen = books(Due(17, "bc1q", HALF, trouble), status, *(["aa"] if paid else []), txid="aa" if paid else None)
    assert (seen.paid_twice, seen.paid_wrongly, seen.booked_wrongly) == (None, None, None)


@pytest.mark.parametrize(
    ("trouble", "status", "paid", "told"),
    [
        ("", "unknown", False, "was not paid in the end"),
        ("", "pending", False, "was not paid in the end"),
        ("", "paid", False, "was never paid"),
        ("paid, connection closed", "failed", True, "was paid by the wallet in 'aa', but is 'failed'"),
        ("paid, worker killed", "sending", True, "is 'sending'"),
        ("unpaid, connection closed", "paid", False, "was never paid"),
        ("unpaid, connection closed", "failed", False, "was not paid in the end"),
        (REFUSED, "unknown", False, "was refused"),
    ],
)
def test_books_that_are_wrong(trouble: str, status: str, told: str, *, paid: bool) -> None:
    seen = books(Due(17, "bc1q", HALF, trouble), status, *(["aa"] if paid else []), txid="aa" if paid else None)
    assert seen.booked_wrongly is not None
    assert told in seen.booked_wrongly


def test_a_payout_that_was_asked_for_may_be_left_in_doubt() -> None:
    assert books(Due(17, "bc1q", HALF), "unknown", asked=True).booked_wrongly is None


@pytest.mark.parametrize("value", [None, True, "", "NaN", "sNaN", "Infinity", "1e999999", "9" * 5000, [], float("nan")])
def test_what_is_no_number(value: object) -> None:
    assert number(value) is None


@pytest.mark.parametrize("value", ["0.00000001", "1e-08", 1e-8, Decimal("1E-8")])
def test_what_is_the_same_number(value: object) -> None:
    assert number(value) == Decimal("0.00000001")
