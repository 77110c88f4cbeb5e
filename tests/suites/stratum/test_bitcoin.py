"""The judge's own hashing, held against blocks and shares that the network accepted."""

from __future__ import annotations

from fractions import Fraction

from suites.stratum import bitcoin

BLOCK_100000_TXIDS = (
    "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
    "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
    "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
    "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
)
BLOCK_100000_HASH = "000000000003ba27aa200b1cecaad478d2b00432346c3f1f3986da1afd33e506"
BLOCK_100000_PREVIOUS = "000000000002d01c1fccc21636b607dfd930d31d01c3a62104612a1719011250"
BLOCK_100000_ROOT = "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766"
BLOCK_100000_NUMBERS = (1293623863, 0x1B04864C, 274148111)


def as_in_header(display: str) -> bytes:
    return bytes.fromhex(display)[::-1]


def block_100000_header() -> bytes:
    return bitcoin.pack_header(
        1, as_in_header(BLOCK_100000_PREVIOUS), as_in_header(BLOCK_100000_ROOT), BLOCK_100000_NUMBERS
    )


def test_header_of_block_100000() -> None:
    assert bitcoin.display(bitcoin.sha256d(block_100000_header())) == BLOCK_100000_HASH
    assert bitcoin.hash_value(block_100000_header()) == int(BLOCK_100000_HASH, 16)
    assert bitcoin.hash_value(block_100000_header()) <= bitcoin.block_target(0x1B04864C)


def test_merkle_root_of_block_100000() -> None:
    assert (
        bitcoin.display(bitcoin.merkle_root([as_in_header(txid) for txid in BLOCK_100000_TXIDS])) == BLOCK_100000_ROOT
    )


def test_the_root_of_one_transaction_is_itself() -> None:
    assert bitcoin.merkle_root([b"x" * 32]) == b"x" * 32


def test_a_branch_leads_to_the_root() -> None:
    coinbase, *others = (as_in_header(txid) for txid in BLOCK_100000_TXIDS)
    branch = [others[0], bitcoin.sha256d(others[1] + others[2])]
    assert bitcoin.display(bitcoin.climb(coinbase, branch)) == BLOCK_100000_ROOT


def test_words_of_the_previous_hash_as_pools_send_them() -> None:
    swapped = bitcoin.swap_words(as_in_header(BLOCK_100000_PREVIOUS)).hex()
    assert swapped == "1901125004612a1701c3a621d930d31d36b607df1fccc2160002d01c00000000"


def test_targets() -> None:
    assert bitcoin.share_target(Fraction(1)) == 0xFFFF << 208
    assert bitcoin.share_target(Fraction(1, 2)) == 0x1FFFE << 208
    assert bitcoin.block_target(0x1D00FFFF) == 0xFFFF << 208


def test_mining_finds_the_nonce_of_block_100000() -> None:
    start = BLOCK_100000_NUMBERS[2] - 1000
    found = bitcoin.mine(block_100000_header(), start, 0, bitcoin.block_target(0x1B04864C))
    assert found == BLOCK_100000_NUMBERS[2]


def test_mining_heeds_the_floor() -> None:
    header = block_100000_header()
    nonce = bitcoin.mine(header, 0, 2**250, 2**252)
    mined = header[:76] + nonce.to_bytes(4, "little")
    assert 2**250 < bitcoin.hash_value(mined) <= 2**252


def test_counts() -> None:
    assert [bitcoin.varint(count).hex() for count in (0, 252, 253, 0x1234)] == ["00", "fc", "fdfd00", "fd3412"]
