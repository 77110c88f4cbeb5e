"""The pool's rules as the letter states them: which shares a block is paid to, and in what proportion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Share:
    """A row of the table `shares`."""

    share_id: int
    """The higher, the newer; not every number is there."""
    address: str
    worker: str
    difficulty: int
    submitted_at: str


@dataclass(frozen=True, slots=True)
class Block:
    """A row of the table `blocks`."""

    height: int
    hash_hex: str
    reward_sat: int
    network_difficulty: int
    share_id: int
    """The share that found it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings in `pool.json` that decide who is paid."""

    fee_percent: Fraction
    pplns_factor: Fraction
    max_shares: int


@dataclass(frozen=True, slots=True)
class Walk:
    """The shares that a block is paid to."""

    shares: int
    difficulty: int
    """Of all of them together."""
    points: tuple[tuple[str, int], ...]
    """Address -> difficulty of its shares."""

    def part(self, address: str, amount_sat: int) -> Fraction:
        """Return the exact part of an amount that an address has to get."""
        return Fraction(amount_sat * dict(self.points).get(address, 0), self.difficulty)


def walk(shares: Sequence[Share], block: Block, terms: Terms) -> Walk:
    """Go back from the share that found the block until one of the limits is reached, or the oldest share.

    Args:
        shares: all of them, oldest first.
        block: to be paid.
        terms: the limits.
    """
    window = terms.pplns_factor * block.network_difficulty
    points: dict[str, int] = {}
    counted = difficulty = 0
    for share in reversed(shares):
        if share.share_id > block.share_id:
            continue
        points[share.address] = points.get(share.address, 0) + share.difficulty
        difficulty += share.difficulty
        counted += 1
        if difficulty >= window or counted == terms.max_shares:
            break
    return Walk(counted, difficulty, tuple(sorted(points.items())))
