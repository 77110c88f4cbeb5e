"""Makes the pool's database as it lies there before a worker is started."""

from __future__ import annotations

import random
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal

from .ledger import text

SCHEMA = """
CREATE TABLE workers (name TEXT PRIMARY KEY, address TEXT NOT NULL);
CREATE TABLE credits (id INTEGER PRIMARY KEY AUTOINCREMENT, worker TEXT NOT NULL, amount TEXT NOT NULL, payout_id INTEGER);
CREATE TABLE payouts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, worker TEXT NOT NULL, address TEXT NOT NULL, amount TEXT NOT NULL,
    fee TEXT NOT NULL DEFAULT '0', status TEXT NOT NULL DEFAULT 'pending', txid TEXT,
    attempts INTEGER NOT NULL DEFAULT 0, note TEXT
);
"""
"""As the program makes it."""
ROUND_AMOUNTS = tuple(map(Decimal, ("0.5", "0.25", "1.75", "2.125")))
"""In BTC; binary fractions, so that how a program counts makes no difference here."""
BECH32 = "023456789acdefghjklmnpqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Entry:
    """A payout in the making."""

    payout_id: int
    worker: str
    address: str
    amount: Decimal
    status: str = "pending"
    txid: str | None = None
    fee: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Credit:
    """What a worker has earned."""

    worker: str
    amount: Decimal


def make_database(
    entries: Sequence[Entry],
    earned: Iterable[Credit] = (),
    *,
    workers: Sequence[Entry] | None = None,
    extra: str = "",
) -> bytes:
    """Return the bytes of a database file.

    Args:
        entries: of the table `payouts`.
        earned: rows of the table `credits`.
        workers: whose workers and addresses are in the table `workers`; None for those of `entries`.
        extra: SQL that is run at the end.
    """
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        database.executemany(
            "INSERT OR IGNORE INTO workers VALUES (?, ?)",
            [(each.worker, each.address) for each in (entries if workers is None else workers)],
        )
        database.executemany(
            "INSERT INTO payouts (id, worker, address, amount, status, txid, fee) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (each.payout_id, each.worker, each.address, text(each.amount), each.status, each.txid, text(each.fee))
                for each in entries
            ],
        )
        database.executemany(
            "INSERT INTO credits (worker, amount) VALUES (?, ?)", [(each.worker, text(each.amount)) for each in earned]
        )
        database.executescript(extra)
        database.commit()
        return database.serialize()


def draw_address(rng: random.Random) -> str:
    """Return something that looks like an address."""
    return "bc1q" + "".join(rng.choices(BECH32, k=38))


def draw_txid(rng: random.Random) -> str:
    """Return something that looks like a transaction id."""
    return f"{rng.getrandbits(256):064x}"


def draw_ids(rng: random.Random, count: int) -> tuple[int, ...]:
    """Return ids of payouts, with gaps."""
    first = rng.randrange(300, 900)
    return tuple(sorted(rng.sample(range(first, first + 3 * count), count)))


def draw_name() -> str:
    """Return the name of a database, which nobody can know before."""
    return f"pool-{secrets.token_hex(4)}.db"
