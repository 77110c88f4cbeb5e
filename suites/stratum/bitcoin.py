"""Bitcoin's hashing and serialisation, as far as a miner and a node need it; hashes as bytes stand in a header."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from hashlib import sha256

HEADER_BYTES = 80
NONCES = 2**32
MERKLE_ROOT = slice(36, 68)
"""Where it stands in a header."""


def sha256d(data: bytes) -> bytes:
    """Hash twice."""
    return sha256(sha256(data).digest()).digest()


def display(digest: bytes) -> str:
    """Write a hash as RPC and explorers do."""
    return digest[::-1].hex()


def swap_words(data: bytes) -> bytes:
    """Turn round the bytes of each 4-byte word, as `mining.notify` does to the previous hash."""
    return b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))


def hash_value(header: bytes) -> int:
    """Return the hash of a header as the number that a target bounds."""
    return int.from_bytes(sha256d(header), "little")


def share_target(difficulty: Fraction) -> Fraction:
    """Return the bound of a good share's hash."""
    return (0xFFFF << 208) / difficulty


def block_target(bits: int) -> int:
    """Return the bound that the compact form stands for."""
    return (bits & 0x7FFFFF) << 8 * ((bits >> 24) - 3)


def merkle_root(txids: Sequence[bytes]) -> bytes:
    """Hash pair by pair; an odd one out is paired with itself."""
    level = list(txids)
    while len(level) > 1:
        level += level[-1:] * (len(level) % 2)
        level = [sha256d(level[at] + level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def climb(coinbase_txid: bytes, branch: Sequence[bytes]) -> bytes:
    """Return the root that a miner computes."""
    root = coinbase_txid
    for sibling in branch:
        root = sha256d(root + sibling)
    return root


def pack_header(version: int, previous: bytes, root: bytes, numbers: tuple[int, int, int]) -> bytes:
    """Serialise a header; the numbers are time, bits and nonce."""
    return struct.pack("<I", version) + previous + root + struct.pack("<III", *numbers)


def varint(number: int) -> bytes:
    """Serialise a count."""
    return bytes([number]) if number < 0xFD else b"\xfd" + struct.pack("<H", number)


def mine(header: bytes, start: int, floor: int, ceiling: int) -> int:
    """Return the first nonce from `start` on whose hash lies above `floor` and not above `ceiling`."""
    first_chunk, tail = sha256(header[:64]), header[64:76]
    # Most hashes fail on their highest bytes: comparing those first is a third of the work.
    top = ceiling.to_bytes(32, "big")[:4]
    nonce = start
    while True:
        attempt = first_chunk.copy()
        attempt.update(tail + struct.pack("<I", nonce))
        digest = sha256(attempt.digest()).digest()
        if digest[:-5:-1] <= top and floor < int.from_bytes(digest, "little") <= ceiling:
            return nonce
        nonce = (nonce + 1) % NONCES
