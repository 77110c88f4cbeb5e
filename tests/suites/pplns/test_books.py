"""The random books: with each set of them one rule alone decides, whatever the seed."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import pytest

from suites.pplns.books import DIFFICULTY, Books, full_windows, low_and_high_limit, other_fees
from suites.pplns.rules import Block, Share, Walk, walk

SEEDS = range(25)
OLD_RANGE = 2000
"""Of ids, in the program that the model is given."""
UNLIMITED = 10**9


def rng_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable on purpose


def blocks(drawn: tuple[Books, ...]) -> Iterator[tuple[Books, Block, tuple[Share, ...], Walk]]:
    for books in drawn:
        for block in books.blocks:
            upto = tuple(share for share in books.shares if share.share_id <= block.share_id)
            yield books, block, upto, walk(books.shares, block, books.terms)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_limit_alone_decides(seed: int) -> None:
    low, high = low_and_high_limit(rng_of(seed))
    for books, block, upto, walked in blocks((low, high)):
        limit = books.terms.max_shares
        assert walked.shares == limit < len(upto)
        assert walked.difficulty < block.network_difficulty
        assert upto[-1].share_id - upto[-limit].share_id > 10 * limit  # a range of ids is not a number of shares
        assert limit % 50 != 0
        without_limit = walk(books.shares, block, replace(books.terms, max_shares=UNLIMITED))
        assert without_limit.shares > limit
        assert (without_limit.shares < len(upto)) is (books is low)
    assert low.terms.max_shares < 600 < OLD_RANGE < high.terms.max_shares


@pytest.mark.parametrize("seed", SEEDS)
def test_the_window_alone_decides(seed: int) -> None:
    beyond = []
    for books, block, upto, walked in blocks(full_windows(rng_of(seed))):
        window = books.terms.pplns_factor * block.network_difficulty
        assert window.denominator == 1
        assert walked.shares < books.terms.max_shares < len(upto)
        # Neither a range of ids nor the newest rows of the table, later ones included, cut a window short.
        assert books.shares[-1].share_id - upto[-walked.shares].share_id < min(books.terms.max_shares, OLD_RANGE)
        assert walked.difficulty >= window > walked.difficulty - upto[-walked.shares].difficulty
        beyond.append(int(walked.difficulty - window))
    assert sum(difficulty == 0 for difficulty in beyond) == len(beyond) // 2
    assert all(difficulty == 0 or difficulty >= DIFFICULTY[0] for difficulty in beyond)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_fee_alone_decides(seed: int) -> None:
    drawn = other_fees(rng_of(seed))
    for books, block, upto, walked in blocks(drawn):
        assert walked.shares == len(upto) < books.terms.max_shares
        assert block.share_id - upto[0].share_id < OLD_RANGE
        assert walked.difficulty < block.network_difficulty
    none, below_one, above_one = sorted(books.terms.fee_percent for books in drawn)
    assert none == 0 < below_one < 1 < above_one
    assert all((10 * fee).denominator != 1 for fee in (below_one, above_one))


@pytest.mark.parametrize("seed", SEEDS)
def test_each_address_has_a_part_that_no_rounding_hides(seed: int) -> None:
    rng = rng_of(seed)
    for books, block, _, walked in blocks((*low_and_high_limit(rng), *full_windows(rng), *other_fees(rng))):
        assert len(walked.points) >= 3
        assert sum(walked.part(address, block.reward_sat) for address, _ in walked.points) == block.reward_sat
        one_share = Fraction(block.reward_sat * DIFFICULTY[0], walked.difficulty + DIFFICULTY[0])
        assert one_share > 1000 * len(books.blocks)


def test_the_database_holds_the_books() -> None:
    (books, *_) = full_windows(rng_of(1))
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(books.database())
        rows = database.execute("SELECT id, address, worker, difficulty, submitted_at FROM shares").fetchall()
        assert [Share(*row) for row in rows] == list(books.shares)
        found = database.execute("SELECT height, hash, reward, network_difficulty, share_id FROM blocks").fetchall()
        assert {Block(*row) for row in found} == set(books.blocks)
