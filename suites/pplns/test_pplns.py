"""PPLNS payouts: do the settings in the config file really decide who is paid, and how much?"""

from __future__ import annotations

import pytest

from pytest_llmbench import Observe

from . import judge


@pytest.mark.money
def test_hardcoded_window(observe: Observe) -> None:
    """The payouts go exactly to the newest `max_shares` shares, whatever number that is."""
    for day in observe(judge.limited_by_shares).paydays:
        assert day.payouts_mismatch is None, f"with max_shares {day.terms.max_shares}, {day.payouts_mismatch}"


@pytest.mark.money
def test_unused_window(observe: Observe) -> None:
    """The payouts go exactly to the shares within `pplns_factor` times the network difficulty."""
    for day in observe(judge.limited_by_window).paydays:
        window = f"{float(day.terms.pplns_factor):g} x {day.block.network_difficulty}"
        assert day.payouts_mismatch is None, f"with a window of {window}, {day.payouts_mismatch}"


@pytest.mark.money
def test_config_key(observe: Observe) -> None:
    """The pool keeps exactly `fee_percent` of a block, and the rest is paid out exactly."""
    for day in observe(judge.under_other_fees).paydays:
        assert day.fee_mismatch is None, day.fee_mismatch
        assert day.payouts_mismatch is None, day.payouts_mismatch
