"""What the node has to offer: random blocks to be mined, as `getblocktemplate` describes them."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, replace
from typing import Any

from . import bitcoin

OUT_OF_REACH = 0x17058EBE
"""Bits that no test will ever meet."""
WITHIN_REACH = 0x2100FFFF
"""Bits that all but one hash of 65,536 meet."""
SECONDS = 2**24
"""Times are drawn from so many."""


@dataclass(frozen=True, slots=True)
class Template:
    """A block without its coinbase."""

    height: int
    version: int
    previous: bytes
    """Hash of the block before, as it stands in a header."""
    bits: int
    curtime: int
    value_sat: int
    """What the coinbase may pay out."""
    transactions: tuple[bytes, ...]

    @property
    def txids(self) -> tuple[bytes, ...]:
        """The transactions' hashes as they are hashed on."""
        return tuple(map(bitcoin.sha256d, self.transactions))

    def root(self, coinbase: bytes) -> bytes:
        """Return the merkle root with this coinbase."""
        return bitcoin.merkle_root([bitcoin.sha256d(coinbase), *self.txids])

    def header(self, coinbase: bytes, ntime: int, nonce: int) -> bytes:
        """Return the header of the block with this coinbase."""
        return bitcoin.pack_header(self.version, self.previous, self.root(coinbase), (ntime, self.bits, nonce))

    def block(self, header: bytes, coinbase: bytes) -> bytes:
        """Serialise the whole block."""
        return header + bitcoin.varint(1 + len(self.transactions)) + coinbase + b"".join(self.transactions)

    @property
    def rpc(self) -> dict[str, Any]:
        """The reply of `getblocktemplate`."""
        return {
            "capabilities": ["proposal"],
            "version": self.version,
            "rules": [],
            "previousblockhash": bitcoin.display(self.previous),
            "transactions": [
                {"data": data.hex(), "txid": txid, "hash": txid, "depends": [], "fee": 0, "sigops": 1}
                for data, txid in zip(self.transactions, map(bitcoin.display, self.txids), strict=True)
            ],
            "coinbaseaux": {},
            "coinbasevalue": self.value_sat,
            "longpollid": f"{bitcoin.display(self.previous)}{self.curtime}",
            "target": f"{min(bitcoin.block_target(self.bits), 2**256 - 1):064x}",
            "mintime": self.curtime - 3600,
            "mutable": ["time", "transactions", "prevblock"],
            "noncerange": "00000000ffffffff",
            "sigoplimit": 20000,
            "sizelimit": 1000000,
            "curtime": self.curtime,
            "bits": f"{self.bits:08x}",
            "height": self.height,
        }


def draw_template(rng: random.Random, transactions: int, bits: int = OUT_OF_REACH) -> Template:
    """Return a template of a chain of its own."""
    return Template(
        height=rng.randrange(100_000, 900_000),
        version=0x20000000 | rng.randrange(1, 1 << 12) << 13,
        previous=rng.randbytes(28) + bytes(4),
        bits=bits,
        curtime=1_600_000_000 + rng.randrange(SECONDS) * 4,
        value_sat=rng.randrange(10**8, 50 * 10**8),
        transactions=tuple(_draw_transaction(rng) for _ in range(transactions)),
    )


def refreshed(rng: random.Random, template: Template) -> Template:
    """Return a template of the same block with a new transaction in place of the oldest."""
    return replace(
        template,
        curtime=template.curtime + rng.randint(1, 9),
        value_sat=template.value_sat + rng.randrange(1, 10**5),
        transactions=(*template.transactions[1:], _draw_transaction(rng)),
    )


def next_block(rng: random.Random, template: Template, transactions: int, bits: int = OUT_OF_REACH) -> Template:
    """Return a template on top of a block that somebody has found."""
    drawn = draw_template(rng, transactions, bits)
    return replace(drawn, height=template.height + 1, curtime=template.curtime + rng.randint(300, 900))


def _draw_transaction(rng: random.Random) -> bytes:
    """Serialise a payment with one input, one or two outputs, and a signature of random bytes."""
    signature = rng.randbytes(rng.randint(105, 108))
    outputs = [
        struct.pack("<Q", rng.randrange(10**9)) + b"\x19\x76\xa9\x14" + rng.randbytes(20) + b"\x88\xac"
        for _ in range(rng.randint(1, 2))
    ]
    spent = rng.randbytes(32) + struct.pack("<I", rng.randrange(3)) + bitcoin.varint(len(signature)) + signature
    return b"".join(
        (struct.pack("<I", 1), b"\x01", spent, b"\xff\xff\xff\xff", bytes([len(outputs)]), *outputs, bytes(4))
    )
