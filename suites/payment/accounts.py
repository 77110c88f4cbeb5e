"""Workers whose earnings come out wrong to the satoshi if they are computed in floats; pure."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .books import Entry, draw_address, draw_txid
from .ledger import text

SATOSHI_PER_BTC = 100_000_000
FEES = ("0.57", "0.58", "1.13", "1.14", "1.16", "2.26", "2.28")
"""In percent; with each of these, each way of `FEES_IN_FLOATS` goes wrong now and then."""
ALL_COINS_SAT = 2_099_999_997_690_000
"""All that there will ever be. What is drawn stays below it: who adds up floats in a way that is exact so far is right."""
HISTORY = 3000
"""Payouts of years."""
OFF_BY_SAT = 8
"""How far off a long sum is in floats: further than the payouts of this month, which come on top, can make good.

They are 16, and all sums stay below 2**25 BTC, where an addition rounds by at most 2**-29 BTC: 0.19 satoshi.
"""
TERMS = 3000
"""Credits of one worker."""
LARGEST_TERM_SAT = 300_000_000_000
"""So that three such sums and the largest credit come near all the coins, and stay below."""
LARGEST_SAT = 450_000_000_000_000, 560_000_000_000_000
"""A single credit, at least and at most; a float of it and its product with 10**8 round in steps that do not fit."""
SMALL_PARTS_SAT = (10_000_000, 20_000_000), (1,)
"""Credits of two workers: 0.1 + 0.2 and 0.00000001 BTC."""
TENTHS = 25
"""Of a BTC; the worker who reaches the minimum exactly earns at most so many per credit."""

FEES_IN_FLOATS: tuple[Callable[[int, str], int], ...] = (
    lambda gross, fee: math.floor(gross / SATOSHI_PER_BTC * float(fee) / 100 / 0.00000001),
    lambda gross, fee: int(gross / SATOSHI_PER_BTC * float(fee) / 100 * SATOSHI_PER_BTC),
    lambda gross, fee: int(gross / SATOSHI_PER_BTC * (float(fee) / 100) * SATOSHI_PER_BTC),
    lambda gross, fee: int(gross * float(fee) / 100),
    lambda gross, fee: int(gross * (float(fee) / 100)),
    lambda gross, fee: gross * int(float(fee) * 100) // 10_000,
)
"""In satoshi, as it is often computed; each gives one satoshi too little now and then."""


@dataclass(frozen=True, slots=True)
class Account:
    """What a worker has earned."""

    worker: str
    address: str
    credits_sat: tuple[int, ...]

    @property
    def gross_sat(self) -> int:
        """The sum."""
        return sum(self.credits_sat)

    def fee_sat(self, fee: str) -> int:
        """Return the pool's share, rounded down."""
        return self.gross_sat * int(Decimal(fee) * 100) // 10_000

    def net_sat(self, fee: str) -> int:
        """Return what is left."""
        return self.gross_sat - self.fee_sat(fee)


def draw_accounts(rng: random.Random, fee: str) -> list[Account]:
    """Return workers whose credits are hard to add up, or whose fee is hard to compute."""
    terms = _draw_terms(rng, TERMS)
    parts = [*SMALL_PARTS_SAT, _draw_large(rng), terms]
    parts += [_draw_trap(rng, fee, in_floats) for in_floats in FEES_IN_FLOATS]
    parts += [_draw_fraction(rng, fee) for _ in range(4)]
    return [Account(f"rig{number}", draw_address(rng), tuple(each)) for number, each in enumerate(parts)]


def draw_exact_account(rng: random.Random, fee: str) -> Account:
    """Return a worker who has earned exactly the minimum; in floats it is less."""
    while True:
        parts = [rng.randrange(1, TENTHS) * SATOSHI_PER_BTC // 10 for _ in range(rng.randint(2, 5))]
        account = Account("just-enough", draw_address(rng), tuple(parts))
        gross = _naive_sum([part / SATOSHI_PER_BTC for part in parts])
        minimum = float(btc(account.net_sat(fee)))
        in_floats = FEES_IN_FLOATS[0](account.gross_sat, fee) * 0.00000001
        if gross - in_floats < minimum and gross - gross * float(fee) / 100 < minimum:
            return account


def draw_short_account(rng: random.Random, minimum_sat: int) -> Account:
    """Return a worker who would have earned exactly the minimum, were it not for the fee."""
    part = rng.randrange(1, minimum_sat)
    return Account("not-enough", draw_address(rng), (part, minimum_sat - part))


def _draw_trap(rng: random.Random, fee: str, in_floats: Callable[[int, str], int]) -> tuple[int, ...]:
    """Return credits whose fee comes out wrong if it is computed like this; if none can be found, any."""
    step = 10_000 // math.gcd(10_000, int(Decimal(fee) * 100))
    for _ in range(2000):
        gross = step * rng.randrange(10**3, 10**7)
        if in_floats(gross, fee) != Account("", "", (gross,)).fee_sat(fee):
            break
    part = rng.randrange(1, gross)
    return part, gross - part


def _draw_fraction(rng: random.Random, fee: str) -> tuple[int, ...]:
    """Return credits whose fee has to be rounded down although it is nearer to the next satoshi."""
    while True:
        parts = tuple(rng.randrange(1, 10**9) for _ in range(rng.randint(2, 9)))
        if Decimal(sum(parts)) * Decimal(fee) / 100 % 1 > Decimal("0.5"):
            return parts


def _draw_large(rng: random.Random) -> tuple[int]:
    """Return one credit that is a satoshi short if a float of it is cut off."""
    while True:
        amount = rng.randrange(*LARGEST_SAT)
        if int(amount / SATOSHI_PER_BTC * SATOSHI_PER_BTC) != amount:
            return (amount,)


def _draw_terms(rng: random.Random, count: int) -> tuple[int, ...]:
    """Return amounts in satoshi whose sum, in floats, is wrong by `OFF_BY_SAT` or more."""
    while True:
        terms: list[int] = []
        total, direction = 0.0, rng.choice((-1, 1))
        while len(terms) < count:
            term = 1 + int(rng.random() * LARGEST_TERM_SAT)  # randrange() takes ten times as long
            after = total + term / SATOSHI_PER_BTC
            # Left to chance, what is lost and what is gained would nearly cancel out.
            if (after - total - term / SATOSHI_PER_BTC) * direction >= 0:
                terms.append(term)
                total = after
        if abs(round(total * SATOSHI_PER_BTC) - sum(terms)) >= OFF_BY_SAT:
            return tuple(terms)


def draw_history(rng: random.Random) -> list[Entry]:
    """Return old payouts whose totals come out wrong in floats."""
    addresses = [draw_address(rng) for _ in range(20)]
    fees = _draw_terms(rng, HISTORY)
    entries = []
    for payout_id, (term, fee) in enumerate(zip(_draw_terms(rng, HISTORY), fees, strict=True), 1):
        number = payout_id % len(addresses)
        amounts = btc_number(term), btc_number(fee)
        entries.append(
            Entry(payout_id, f"old{number}", addresses[number], amounts[0], "paid", draw_txid(rng), amounts[1])
        )
    return entries


def _naive_sum(values: Sequence[float]) -> float:
    total = 0.0
    for value in values:  # not sum(): newer Pythons add floats up more exactly
        total += value
    return total


def btc_number(amount_sat: int) -> Decimal:
    """Return an amount in BTC."""
    return Decimal(amount_sat).scaleb(-8)


def btc(amount_sat: int) -> str:
    """Write an amount in BTC."""
    return text(btc_number(amount_sat))
