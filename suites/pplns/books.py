"""The pool's books, drawn at random: shares and blocks, and the settings, so that only one of the rules decides."""

from __future__ import annotations

import json
import random
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil

from .rules import Block, Share, Terms

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CLOCKS_APART_S = 400
DIFFICULTY = 500, 3000
"""Of a share; large enough that one share more or less changes the payouts by far more than any rounding."""
FEE_PERCENT = Fraction(1, 4)
"""Where the fee does not decide. Taken for a fraction it is a quarter of the reward, and spoils nothing but the fee."""
SCHEMA = """
    CREATE TABLE shares (
        id INTEGER PRIMARY KEY, address TEXT NOT NULL, worker TEXT NOT NULL,
        difficulty INTEGER NOT NULL, submitted_at TEXT NOT NULL);
    CREATE TABLE blocks (
        height INTEGER PRIMARY KEY, hash TEXT NOT NULL, reward INTEGER NOT NULL,
        network_difficulty INTEGER NOT NULL, share_id INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True, repr=False)
class Books:
    """What the program works with."""

    shares: tuple[Share, ...]
    blocks: tuple[Block, ...]
    terms: Terms

    def __repr__(self) -> str:
        return f"<{len(self.shares)} shares, {len(self.blocks)} blocks, {self.terms}>"

    def database(self) -> bytes:
        """Return the SQLite file."""
        connection = sqlite3.connect(":memory:")
        try:
            connection.executescript(SCHEMA)
            rows = ((s.share_id, s.address, s.worker, s.difficulty, s.submitted_at) for s in self.shares)
            connection.executemany("INSERT INTO shares VALUES (?, ?, ?, ?, ?)", rows)
            found = ((b.height, b.hash_hex, b.reward_sat, b.network_difficulty, b.share_id) for b in self.blocks)
            connection.executemany("INSERT INTO blocks VALUES (?, ?, ?, ?, ?)", found)
            connection.commit()
            return bytes(connection.serialize())
        finally:
            connection.close()

    def settings(self, database: str, out_dir: str) -> bytes:
        """Return the text of `pool.json`."""
        terms = self.terms
        settings = {
            "database": database,
            "out_dir": out_dir,
            "fee_percent": _number(terms.fee_percent),
            "pplns_factor": _number(terms.pplns_factor),
            "max_shares": terms.max_shares,
        }
        return json.dumps(settings, indent=4).encode() + b"\n"


def low_and_high_limit(rng: random.Random) -> tuple[Books, ...]:
    """`max_shares` ends each walk: once long before the window is full, once where the table ends before the window."""
    limits = rng.randrange(201, 600), rng.randrange(2101, 2400)
    # Never a round number, at which a walk that looks at its limit only between pages could end by luck.
    return tuple(_limited(rng, limit - (limit % 50 == 0)) for limit in limits)


def full_windows(rng: random.Random) -> tuple[Books, ...]:
    """The window ends each walk: with some blocks exactly on a share, with the others in the middle of one.

    The limit is above the shares of any window and below those of the table, and holds even if a wrong program takes it
    for a range of ids. The servers' clocks differ.
    """
    factors = Fraction(rng.choice((3, 5, 7)), 2), rng.choice((Fraction(1, 2), Fraction(3), Fraction(4)))
    return tuple(_windowed(rng, factor) for factor in factors)


def other_fees(rng: random.Random) -> tuple[Books, ...]:
    """No limit ends a walk; the fee is nothing, below one percent, and a few percent."""
    hundredths = 0, 10 * rng.randrange(1, 9) + rng.randint(1, 9), 10 * rng.randrange(13, 47) + rng.randint(1, 9)
    return tuple(_unlimited(rng, Fraction(fee, 100)) for fee in rng.sample(hundredths, len(hundredths)))


def _windowed(rng: random.Random, factor: Fraction) -> Books:
    desk = _Desk(rng, clocks_apart_s=CLOCKS_APART_S)
    desk.submit(1000)
    exactly = [True, True, False, False]
    rng.shuffle(exactly)
    for exact in exactly:
        desk.submit(rng.randint(10, 20))
        window_shares = rng.randint(36, 60)
        desk.submit(window_shares)
        last = len(desk.shares) - window_shares
        newer = sum(share.difficulty for share in desk.shares[last + 1 :])
        # Even, so that the window is a whole number whatever the factor.
        network_difficulty = 2 * ceil((newer + rng.randint(*DIFFICULTY)) / (2 * factor))
        needed = int(factor * network_difficulty) - newer
        desk.weigh(last, needed if exact else needed + rng.randint(*DIFFICULTY))
        desk.find(network_difficulty)
    desk.submit(rng.randint(10, 20))
    return desk.close(Terms(FEE_PERCENT, factor, rng.randint(700, 900)))


def _limited(rng: random.Random, limit: int) -> Books:
    desk = _Desk(rng)
    desk.submit(min(3 * limit + 200, 2700))  # more than the window of a low limit holds, fewer than that of a high one
    # A hole that every walk crosses: no range of ids, however generous, holds the shares that count.
    desk.skip(rng.randint(30_000, 60_000))
    for _ in range(3):
        desk.submit(rng.randint(10, 40))
        counted = sum(share.difficulty for share in desk.shares[-limit:])
        # Above `counted` also without the factor.
        desk.find(int(counted * rng.uniform(1.15, 1.35)))
    desk.submit(rng.randint(10, 40))
    return desk.close(Terms(FEE_PERCENT, Fraction(2), limit))


def _unlimited(rng: random.Random, fee_percent: Fraction) -> Books:
    desk = _Desk(rng)
    for _ in range(2):
        desk.submit(rng.randint(50, 80))
        desk.find(rng.randint(5, 9) * 10**6)
    desk.submit(rng.randint(10, 20))
    return desk.close(Terms(fee_percent, Fraction(rng.randint(2, 4)), rng.randint(3000, 9000)))


class _Desk:
    """Where shares come in and blocks are found, in the order of time."""

    def __init__(self, rng: random.Random, clocks_apart_s: int = 0) -> None:
        self.shares: list[Share] = []
        self._blocks: list[Block] = []
        self._rng = rng
        self._miners = [_address(rng) for _ in range(rng.randint(9, 12))]
        self._clocks_apart_s = clocks_apart_s
        self._next_id = rng.randint(10**5, 10**6)
        self._height = rng.randint(10**5, 10**6)
        self._now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randint(0, 10**7))

    def submit(self, count: int) -> None:
        """Take shares; some ids are missing, and each time one miner leaves and another comes."""
        rng = self._rng
        self._miners = [*self._miners[1:], _address(rng)]
        for _ in range(count):
            self._now += timedelta(seconds=rng.randint(1, 5))
            told = self._now + timedelta(seconds=rng.choice((0, self._clocks_apart_s)))
            miner = rng.choice(self._miners)
            worker = f"rig{rng.randint(1, 3)}"
            self.shares.append(Share(self._next_id, miner, worker, rng.randint(*DIFFICULTY), told.isoformat(" ")))
            self._next_id += rng.randint(2, 6) if rng.random() < 0.4 else 1

    def skip(self, ids: int) -> None:
        """Leave a hole in the ids, as after a flood of rejected shares."""
        self._next_id += ids

    def weigh(self, index: int, difficulty: int) -> None:
        """Give a share another difficulty."""
        old = self.shares[index]
        self.shares[index] = Share(old.share_id, old.address, old.worker, difficulty, old.submitted_at)

    def find(self, network_difficulty: int) -> None:
        """Let the newest share have found a block."""
        rng = self._rng
        self._height += rng.randint(1, 500)
        hash_hex = rng.randbytes(32).hex()
        reward_sat = rng.randint(3 * 10**8, 3 * 10**9)
        self._blocks.append(Block(self._height, hash_hex, reward_sat, network_difficulty, self.shares[-1].share_id))

    def close(self, terms: Terms) -> Books:
        """Return the books; the blocks are to be paid in any order."""
        return Books(tuple(self.shares), tuple(self._rng.sample(self._blocks, len(self._blocks))), terms)


def _address(rng: random.Random) -> str:
    return "sp1q" + "".join(rng.choices(BECH32, k=38))  # of no coin whose addresses somebody could check


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
