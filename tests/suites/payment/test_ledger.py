"""What is paid, booked and owed, and what is said when these do not agree."""

from __future__ import annotations

import random
from collections.abc import Iterable
from decimal import Decimal

import pytest

from suites.payment.accounts import (
    FEES,
    FEES_IN_FLOATS,
    btc_number,
    draw_accounts,
    draw_exact_account,
    draw_history,
    draw_short_account,
)
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


@pytest.mark.parametrize("fee", FEES)
def test_each_way_to_compute_a_fee_in_floats_goes_wrong_for_some_worker(fee: str) -> None:
    accounts = draw_accounts(random.Random(fee), fee)  # noqa: S311 - repeatable on purpose
    for in_floats in FEES_IN_FLOATS:
        assert any(in_floats(account.gross_sat, fee) != account.fee_sat(fee) for account in accounts)


@pytest.mark.parametrize("fee", FEES)
def test_the_worker_who_earns_just_enough_has_a_whole_amount(fee: str) -> None:
    account = draw_exact_account(random.Random(fee), fee)  # noqa: S311 - same
    assert account.gross_sat - account.fee_sat(fee) == account.net_sat(fee) > 0


@pytest.mark.parametrize("fee", FEES)
def test_the_worker_who_earns_not_enough_has_enough_before_the_fee(fee: str) -> None:
    account = draw_short_account(random.Random(fee), 20_000_000)  # noqa: S311 - same
    assert account.net_sat(fee) < account.gross_sat == 20_000_000


def added_up_in_floats(amounts: Iterable[Decimal]) -> str:
    total = 0.0
    for amount in amounts:  # not sum(): newer Pythons add floats up more exactly
        total += float(amount)
    return f"{total:.8f}"


@pytest.mark.parametrize("seed", range(20))
def test_no_payout_of_this_month_makes_totals_in_floats_right_by_luck(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - same
    fee = rng.choice(FEES)
    accounts = draw_accounts(rng, fee)
    history = draw_history(rng)
    amounts = [each.amount for each in history] + [btc_number(each.net_sat(fee)) for each in accounts]
    fees = [each.fee for each in history] + [btc_number(each.fee_sat(fee)) for each in accounts]
    for payouts in range(len(history), len(amounts) + 1):
        assert added_up_in_floats(amounts[:payouts]) != f"{sum(amounts[:payouts]):.8f}"
        assert added_up_in_floats(fees[:payouts]) != f"{sum(fees[:payouts]):.8f}"
    largest = max(accounts, key=lambda each: len(each.credits_sat))
    assert added_up_in_floats(map(btc_number, largest.credits_sat)) != f"{btc_number(largest.gross_sat):.8f}"
