"""The file that the program leaves for the wallet script, read as what a stranger wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pytest_llmbench import AnswerFault

from .rules import Block

MAX_BYTES = 4 * 1024 * 1024
"""Much more than is needed, even if each share that counts is listed in the file."""
MAX_SAT = 2**63 - 1
"""No amount of any coin is larger."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What the wallet script is told to pay."""

    fee_sat: int
    payouts: tuple[tuple[str, int], ...]
    """Address -> amount in satoshi, never 0."""

    @property
    def total_sat(self) -> int:
        """All payouts together."""
        return sum(amount_sat for _, amount_sat in self.payouts)


def read_statement(name: str, content: bytes, block: Block) -> Statement:
    """Read the file for a block.

    Raises:
        AnswerFault: it is not such a file.
    """
    try:
        told: Any = json.loads(content, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        raise AnswerFault(f"{name} cannot be read as JSON: {ascii(str(error))[:200]}") from None
    if type(told) is not dict or type(told.get("payouts")) is not dict:
        raise AnswerFault(f"{name} is no JSON object with an object `payouts` in it")
    for key, wanted in (("height", block.height), ("reward", block.reward_sat)):
        if _amount(name, key, told.get(key)) != wanted:
            raise AnswerFault(f"{name} says that the {key} is {told[key]}; it is {wanted}")
    amounts = (
        (address, _amount(name, f"payout of {ascii(address)[:60]}", sat)) for address, sat in told["payouts"].items()
    )
    # Nothing for an address that has no part is the same as not to name it.
    payouts = tuple(sorted((address, sat) for address, sat in amounts if sat != 0))
    return Statement(_amount(name, "fee", told.get("fee")), payouts)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, each name in it once: which of two values counts would be up to the reader."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _amount(name: str, what: str, value: Any) -> int:
    if type(value) is not int:
        raise AnswerFault(f"{name}: the {what} is {_shown(value)} and not a JSON integer")
    if not 0 <= value <= MAX_SAT:
        raise AnswerFault(f"{name}: the {what} is {_shown(value)}, which is no amount")
    return value


def _shown(value: Any) -> str:
    if value is None:
        return "missing or null"
    return json.dumps(value)[:60] if type(value) in (int, float, bool, str) else f"a JSON {type(value).__name__}"
