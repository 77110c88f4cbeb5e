"""A block is found while the node is slow: who could have known of it before the node had it?"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from pytest_llmbench import Candidate

from . import bitcoin
from .miner import Share
from .session import Session
from .templates import WITHIN_REACH, draw_template
from .wire import Reply

EVERY_HASH_WILL_DO = Fraction(1, 2**40)
DIGITS = 16
"""So many hex digits in a row are a piece of the block."""
SECRET = slice(36, 80)
"""Of a header: merkle root, time, bits and nonce; version and previous hash are known to all."""
KNOWN = slice(68, 76)
"""Of these, time and bits, which are no secret side by side."""
PIECE_BYTES = DIGITS // 2
SEPARATORS = re.compile(rb"\\x|[\s:]")
"""Between the digits of one number, as some people write it."""


@dataclass(frozen=True, slots=True)
class SlowNode:
    """What was to be read while the node had not answered yet, and what came of the block."""

    submitted: bool
    """Whether a block came to the node at all."""
    is_the_miners: bool
    """Whether it holds the coinbase that the miner has made; all else of it is another check's business."""
    leaks: tuple[str, ...]
    """In words."""
    reply: Reply | None
    """To the miner, in the end."""
    submissions: int
    """Calls of `submitblock`, in the end."""


def slow_node(candidate: Candidate) -> SlowNode:
    """Submit a share that is a block, and read everything while `submitblock` does not return."""
    rng = candidate.rng
    template = draw_template(rng, rng.randint(2, 9), WITHIN_REACH)
    with Session(candidate, template, EVERY_HASH_WILL_DO) as session:
        finder, neighbour = session.join("farm.1"), session.join("farm.2")
        session.hold()
        work = finder.notifies[0]
        extranonce2 = rng.randbytes(finder.extranonce2_bytes)
        share = Share("farm.1", work.job_id, extranonce2, template.curtime + rng.randrange(600), rng.randrange(2**32))
        number = finder.submit([share])[0]

        def decided() -> bool:
            reply = finder.replies.get(number)
            return bool(session.submitted) or finder.gone or (reply is not None and not reply.accepted)

        session.wait(decided)
        if not session.submitted:
            return SlowNode(
                submitted=False, is_the_miners=False, leaks=(), reply=finder.replies.get(number), submissions=0
            )
        session.settle()
        coinbase = work.coinb1 + finder.extranonce1 + extranonce2 + work.coinb2
        headers = (template.header(coinbase, share.ntime, share.nonce), *_headers(session.submitted))
        places = (*session.written().places, ("what another miner was sent", b"\n".join(neighbour.heard)))
        found = [leak for name, text in places for header in headers for leak in find_leaks(header, name, text)]
        session.release()
        session.wait(lambda: finder.gone or finder.answered([number]))
        session.settle()
        return SlowNode(
            submitted=True,
            is_the_miners=coinbase.hex() in (session.submitted[0] or "").lower(),
            leaks=tuple(dict.fromkeys(found)),
            reply=finder.replies.get(number),
            submissions=len(session.submitted),
        )


def find_leaks(header: bytes, place: str, text: bytes) -> tuple[str, ...]:
    """Return, in words, which pieces of a header or of its hash a text holds."""
    lower = text.lower()
    joined = SEPARATORS.sub(b"", lower)
    found = []
    known = set(_orders(header[KNOWN]))
    for name, secret in (("hash", bitcoin.sha256d(header)), ("header", header[SECRET])):
        orders = _orders(secret)
        pieces = {raw[at : at + PIECE_BYTES] for raw in orders for at in range(len(raw) - PIECE_BYTES + 1)} - known
        digits = {raw.hex()[at : at + DIGITS].encode() for raw in orders for at in range(2 * len(raw) - DIGITS + 1)}
        digits -= {raw.hex().encode() for raw in known}
        hex_found = any(piece in where for piece in digits for where in (lower, joined))
        if hex_found or any(piece in text for piece in pieces) or any(form in text for form in _other_forms(orders)):
            found.append(f"{place} held a piece of the block's {name}")
    whole = (header, header[::-1])
    if any(form in text for form in _other_forms(whole)):
        found.append(f"{place} held the block's header")
    return tuple(found)


def _orders(data: bytes) -> tuple[bytes, ...]:
    """Return bytes as people may write them: as they are, turned round, and both with their words turned round."""
    return data, data[::-1], bitcoin.swap_words(data), bitcoin.swap_words(data[::-1])


def _other_forms(orders: Iterable[bytes]) -> Iterator[bytes]:
    for data in orders:
        yield base64.b64encode(data).rstrip(b"=")
        yield base64.urlsafe_b64encode(data).rstrip(b"=")
        yield str(int.from_bytes(data, "big")).encode()
        yield repr(data)[2:-1].encode()


def _headers(blocks: Sequence[str | None]) -> Iterator[bytes]:
    """Return the headers of what the server believes to be blocks; they may differ from those that would be right."""
    for block in blocks:
        with suppress(ValueError):
            header = bytes.fromhex((block or "")[: 2 * bitcoin.HEADER_BYTES])
            if len(header) == bitcoin.HEADER_BYTES:
                yield header
