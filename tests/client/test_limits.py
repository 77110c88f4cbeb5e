from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from pytest_llmbench.client import limits
from pytest_llmbench.client.limits import ClientLoad, LoadWatch, client_limit

EASY = ClientLoad(wall_s=10.0, cpu_s=1.0, loop_lag_p99_s=0.001, loop_lag_max_s=0.002, has_kernel_stamps=False)


def watched(hold_up_s: float, *, yields: bool = True) -> ClientLoad:
    async def main() -> ClientLoad | None:
        with LoadWatch() as watch:
            await asyncio.sleep(3 * limits.PERIOD_S)
            time.sleep(hold_up_s)  # noqa: ASYNC251 (it is to hold the loop up)
            if yields:
                await asyncio.sleep(0)
        return watch.load

    load = asyncio.run(main())
    assert load is not None
    return load


@pytest.mark.parametrize("yields", [True, False])
def test_a_loop_that_is_held_up_is_late(yields: bool) -> None:  # noqa: FBT001 (parametrised)
    load = watched(0.3, yields=yields)
    assert load.loop_lag_max_s is not None
    assert 0.25 < load.loop_lag_max_s <= load.wall_s
    assert load.loop_lag_p99_s == load.loop_lag_max_s


def test_work_and_waiting_are_told_apart() -> None:
    assert watched(0.2).cpu_share < 0.5
    began_s = time.process_time()
    with_work = ClientLoad(1.0, time.process_time() - began_s + 1.5, None, None, has_kernel_stamps=True)
    assert with_work.cpu_share > 1


def test_a_client_that_kept_up_sets_no_limit() -> None:
    assert client_limit(EASY) is None
    assert client_limit(EASY, seen_tok_s=1000, drain_tok_s=500_000) is None
    assert client_limit(replace(EASY, loop_lag_p99_s=None, loop_lag_max_s=None)) is None


def test_what_sets_a_limit_is_said_in_words() -> None:
    assert "90% of a core" in str(client_limit(replace(EASY, cpu_s=9.0)))
    assert "woke up 9.0 ms late at p99" in str(client_limit(replace(EASY, loop_lag_p99_s=0.009)))
    assert "400,000 tok/s of the 500,000 tok/s" in str(client_limit(EASY, seen_tok_s=400_000, drain_tok_s=500_000))
    both = client_limit(replace(EASY, cpu_s=9.0, loop_lag_p99_s=0.009))
    assert both is not None
    assert both.count(";") == 1


def test_stamps_of_the_kernel_bear_a_late_loop() -> None:
    late = replace(EASY, loop_lag_p99_s=0.009)
    assert client_limit(replace(late, has_kernel_stamps=True)) is None
    assert client_limit(replace(late, loop_lag_p99_s=0.2, has_kernel_stamps=True)) is not None
