"""What the pool says to a miner, taken as hostile input."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pytest_llmbench import AnswerFault

HEX = re.compile(r"(?:[0-9a-f]{2})*")
MAX_HEX_DIGITS = 20_000
MAX_BRANCH = 32
MAX_EXTRANONCE1_BYTES = 32
MAX_EXTRANONCE2_BYTES = 16
MAX_BRACKETS = 100
"""What nests deeper than a stack would otherwise come back to us when it is shown."""
MAX_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Notify:
    """The params of `mining.notify`, of the right types; what they say is for the checks."""

    job_id: str
    previous_hex: str
    coinb1: bytes
    coinb2: bytes
    branch: tuple[bytes, ...]
    version_hex: str
    bits_hex: str
    ntime_hex: str
    clean_jobs: bool

    def is_of(self, curtime: int) -> bool:
        """Whether it was made from the template with this time, written in whatever byte order."""
        return self.ntime_hex.lower() in (f"{curtime:08x}", curtime.to_bytes(4, "little").hex())


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a request."""

    result: Any
    error: Any

    @property
    def accepted(self) -> bool:
        """Whether a share was credited, as far as the miner is told."""
        return self.result is True

    def __str__(self) -> str:
        return f"result {self.result!a}, error {self.error!a}"[:MAX_SHOWN]


def parse_line(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a line holds; None if it holds something else."""
    if line.count(b"[") + line.count(b"{") > MAX_BRACKETS:
        return None
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def parse_notify(params: object) -> Notify:
    """Take the params of `mining.notify`.

    Raises:
        AnswerFault: they are not nine values of the right types.
    """
    match params:
        case [
            str(job_id),
            str(previous),
            str(coinb1),
            str(coinb2),
            list(branch),
            str(version),
            str(bits),
            str(ntime),
            bool(clean),
        ] if all(isinstance(node, str) for node in branch) and len(branch) <= MAX_BRANCH:
            parts = (_unhex(coinb1, "coinb1"), _unhex(coinb2, "coinb2"))
            nodes = tuple(_unhex(node, "merkle branch") for node in branch)
            return Notify(job_id, previous, *parts, nodes, version, bits, ntime, clean)
    raise AnswerFault(f"mining.notify has other params than a miner expects: {params!a}"[:400])


def parse_subscription(result: object) -> tuple[bytes, int]:
    """Return extranonce1 and the size of extranonce2.

    Raises:
        AnswerFault: the reply to `mining.subscribe` is another one.
    """
    match result:
        case [_, str(extranonce1), int(size)] if (
            len(extranonce1) <= 2 * MAX_EXTRANONCE1_BYTES and 1 <= size <= MAX_EXTRANONCE2_BYTES
        ):
            return _unhex(extranonce1, "extranonce1"), size
    raise AnswerFault(f"the reply to mining.subscribe is none that a miner understands: {result!a}"[:400])


def parse_difficulty(params: object) -> Fraction | None:
    """Return the difficulty of `mining.set_difficulty`; None if it is no positive number."""
    match params:
        case [int(value), *_] if not isinstance(value, bool) and value > 0:
            return Fraction(value)
        case [float(value), *_] if math.isfinite(value) and value > 0:
            return Fraction(value)
    return None


def _unhex(text: str, what: str) -> bytes:
    if len(text) > MAX_HEX_DIGITS or not HEX.fullmatch(text.lower()):
        raise AnswerFault(f"{what} is no hex that a miner understands: {text[:MAX_SHOWN]!a}")
    return bytes.fromhex(text)
