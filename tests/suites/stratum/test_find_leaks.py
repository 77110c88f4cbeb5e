"""What counts as a leak, and what does not."""

from __future__ import annotations

import base64
import random

import pytest

from suites.stratum import bitcoin
from suites.stratum.info_leak import find_leaks

HEADER = random.Random(7).randbytes(80)  # noqa: S311 - a stand-in for a header
HASH = bitcoin.sha256d(HEADER)
ROOT = HEADER[bitcoin.MERKLE_ROOT]


@pytest.mark.parametrize(
    "text",
    [
        HASH.hex(),
        HASH[::-1].hex(),
        HASH.hex().upper(),
        bitcoin.swap_words(HASH).hex(),
        ROOT.hex(),
        ROOT[::-1].hex(),
        f"block {HASH[::-1].hex()[:16]}...",
        f"block ...{HASH[::-1].hex()[-16:]}",
        HEADER.hex(),
        HEADER[-12:].hex(),
        HASH.hex(" "),
        HASH.hex(":"),
        repr(HASH),
        repr(HEADER),
        base64.b64encode(HASH).decode(),
        base64.b64encode(HEADER).decode(),
        str(int.from_bytes(HASH, "little")),
    ],
)
def test_a_leak(text: str) -> None:
    assert find_leaks(HEADER, "the log", f"2026-01-01 INFO pool {text}\n".encode())


@pytest.mark.parametrize(
    "text",
    [
        "a block of height 840000, found by farm.1",
        HASH[::-1].hex()[:15],
        HEADER[:36].hex(),
        f"{HEADER[68:72][::-1].hex()} {HEADER[72:76][::-1].hex()}",
        f'["farm.1", "1f", "0a0b0c0d", "{HEADER[68:72][::-1].hex()}", "{HEADER[76:][::-1].hex()}"]',
        bitcoin.sha256d(b"another block").hex(),
    ],
)
def test_no_leak(text: str) -> None:
    assert not find_leaks(HEADER, "the log", f"2026-01-01 INFO pool {text}\n".encode())


def test_raw_bytes_are_a_leak() -> None:
    assert find_leaks(HEADER, "the log", b"\x00" + HASH[5:20] + b"\x00")
