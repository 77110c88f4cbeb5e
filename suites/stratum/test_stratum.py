"""Stratum server: right work, silent about blocks, fair about jobs, lasting, and hard to upset."""

from __future__ import annotations

import pytest

from pytest_llmbench import Observe

from . import judge
from .memory_leak import SHARES, STRETCH


@pytest.mark.protocol
def test_byte_order(observe: Observe) -> None:
    """A miner that follows the protocol finds shares, near misses are refused, and the block is one."""
    seen = observe(judge.real_difficulty)
    assert not seen.wrong_fields, f"mining.notify had {'; '.join(seen.wrong_fields)}"
    assert seen.difficulty_told is not None, "a miner was told no difficulty before its first job"
    assert seen.difficulty_told == pytest.approx(seen.difficulty), "a miner was told another difficulty than configured"
    for judgement in seen.judgements:
        assert judgement.seen is judgement.wanted, (
            f"a {judgement.what} was {'not credited' if judgement.wanted else 'not refused'}: {judgement.reply}"
        )
    assert seen.submissions, "a block was found, but submitblock was never called"
    assert seen.submissions == 1, f"one block was found, but submitblock was called {seen.submissions} times"
    assert seen.wrong_block is None, f"the block that came to the node is not right: {seen.wrong_block}"


@pytest.mark.security
def test_info_leak(observe: Observe) -> None:
    """While the node has not answered, nobody can read what the block is."""
    seen = observe(judge.slow_node)
    assert seen.submitted, f"a block was found, but did not come to the node; the miner got {seen.reply or 'no answer'}"
    assert seen.is_the_miners, "what came to the node does not hold the coinbase of the miner who found the block"
    assert not seen.leaks, f"before submitblock returned, {'; '.join(seen.leaks)}"
    assert seen.reply is not None, "the miner who found the block got no answer to its share"
    assert seen.reply.accepted, f"the share of the miner who found the block was not credited: {seen.reply}"
    assert seen.submissions == 1, f"the block was submitted {seen.submissions} times"


@pytest.mark.protocol
def test_stale_job(observe: Observe) -> None:
    """All jobs of the current block are good, those of the blocks before are not."""
    seen = observe(judge.long_night)
    assert seen.surprise is None, f"after {seen.credited} credited and {seen.refused} refused shares, {seen.surprise}"


@pytest.mark.robustness
def test_memory_leak(observe: Observe) -> None:
    """The process stops growing, and yet no share is credited twice."""
    seen = observe(judge.busy_day)
    assert seen.unpaid == 0, f"in block {seen.blocks}, {seen.unpaid} good shares were not credited"
    assert not seen.paid_twice, (
        f"in block {seen.blocks}, shares were credited a second time: {', '.join(seen.paid_twice)}"
    )
    assert not seen.goes_on_growing, (
        f"after {seen.blocks} blocks of {SHARES} shares the process still grows, "
        f"in the last stretches of {STRETCH} blocks by {', '.join(map(str, seen.growths_kib))} KiB or more"
    )


@pytest.mark.security
@pytest.mark.robustness
def test_input_validation(observe: Observe) -> None:
    """Rubbish is not credited and disturbs nobody."""
    seen = observe(judge.rude_clients)
    assert seen.surprise is None, f"after {seen.clients} clients: {seen.surprise}"
