"""Access to the pool's database. The stratum servers write it, we only read.

    CREATE TABLE shares (
        id INTEGER PRIMARY KEY, address TEXT NOT NULL, worker TEXT NOT NULL,
        difficulty INTEGER NOT NULL, submitted_at TEXT NOT NULL);
    CREATE TABLE blocks (
        height INTEGER PRIMARY KEY, hash TEXT NOT NULL, reward INTEGER NOT NULL,
        network_difficulty INTEGER NOT NULL, share_id INTEGER NOT NULL);
"""

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass

SHARE_WINDOW = 2000


class UnknownBlock(Exception):
    """There is no block of this height in the database."""


@dataclass(frozen=True)
class Block:
    height: int
    hash: str
    reward: int
    network_difficulty: int
    share_id: int


@dataclass(frozen=True)
class Share:
    id: int
    address: str
    worker: str
    difficulty: int


@contextmanager
def open_database(path):
    """Open the database read-only, so that we never get in the way of the stratum servers."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        yield connection
    finally:
        connection.close()


def get_block(database, height):
    row = database.execute(
        "SELECT height, hash, reward, network_difficulty, share_id FROM blocks WHERE height = ?",
        (height,),
    ).fetchone()
    if row is None:
        raise UnknownBlock(f"there is no block {height} in the database")
    return Block(*row)


def shares_for_block(database, block):
    """The shares that are paid with a block, newest first, from the one that found it."""
    oldest = block.share_id - SHARE_WINDOW
    rows = database.execute(
        "SELECT id, address, worker, difficulty FROM shares"
        " WHERE id > ? AND id <= ? ORDER BY id DESC",
        (oldest, block.share_id),
    )
    return [Share(*row) for row in rows]
