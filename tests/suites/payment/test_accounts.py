"""What the month's end is made of: hard for floats, and fair to every way of adding up that is exact for all coins."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from decimal import Decimal

import pytest

from suites.payment.accounts import (
    ALL_COINS_SAT,
    FEES,
    FEES_IN_FLOATS,
    HISTORY,
    TERMS,
    btc,
    btc_number,
    draw_accounts,
    draw_exact_account,
    draw_history,
    draw_short_account,
)


def in_order(texts: Sequence[str]) -> float:
    total = 0.0
    for each in texts:
        total += float(each)
    return total


def rounded_on_the_way(texts: Sequence[str]) -> float:
    total = 0.0
    for each in texts:
        total = round(total + float(each), 8)
    return total


def compensated(texts: Sequence[str]) -> float:
    """As SQLite's SUM does, and Python's own from 3.12 on (Neumaier)."""
    total = lost = 0.0
    for each in map(float, texts):
        after = total + each
        lost += (total - after) + each if abs(total) >= abs(each) else (each - after) + total
        total = after
    return total + lost


EXACT: dict[str, Callable[[Sequence[str]], float]] = {
    "fsum": lambda texts: math.fsum(map(float, texts)),
    "whole satoshi": lambda texts: sum(round(float(each) * 1e8) for each in texts) / 1e8,
    "satoshi in floats": lambda texts: in_order([str(round(float(each) * 1e8)) for each in texts]) / 1e8,
    "rounded on the way": rounded_on_the_way,
    "compensated": compensated,
}


@pytest.mark.parametrize("seed", range(20))
def test_the_sums_are_wrong_in_floats_and_right_in_every_way_that_is_exact_for_all_coins(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
    fee = rng.choice(FEES)
    exactly = draw_exact_account(rng, fee)
    accounts = [exactly, draw_short_account(rng, exactly.net_sat(fee)), *draw_accounts(rng, fee)]
    history = draw_history(rng)
    rng.shuffle(accounts)  # this month's payouts come in whatever order they were settled
    paid = [*(entry.amount for entry in history), *(btc_number(each.net_sat(fee)) for each in accounts)]
    fees = [*(entry.fee for entry in history), *(btc_number(each.fee_sat(fee)) for each in accounts)]
    assert sum(paid) + sum(fees) <= btc_number(ALL_COINS_SAT)
    (most,) = (each for each in accounts if len(each.credits_sat) == TERMS)
    for amounts in (paid, fees, [btc_number(part) for part in most.credits_sat]):
        texts = [f"{amount:f}" for amount in amounts]
        for name, add_up in EXACT.items():
            assert Decimal(f"{add_up(texts):.8f}") == sum(amounts), name
        for count in range(HISTORY, len(texts) + 1):  # whatever of this month is not there
            assert Decimal(f"{in_order(texts[:count]):.8f}") != sum(amounts[:count])


@pytest.mark.parametrize("fee", FEES)
def test_each_way_to_compute_a_fee_in_floats_goes_wrong_for_some_worker(fee: str) -> None:
    accounts = draw_accounts(random.Random(fee), fee)  # noqa: S311 - same
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


@pytest.mark.parametrize("fee", FEES)
def test_a_large_credit_that_is_cut_off_is_a_satoshi_short(fee: str) -> None:
    account = max(draw_accounts(random.Random(fee), fee), key=lambda each: max(each.credits_sat))  # noqa: S311 - same
    (amount,) = account.credits_sat
    assert int(float(btc(amount)) * 1e8) == amount - 1
