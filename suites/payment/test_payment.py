"""Payout sender: is each payout sent once, to the satoshi, whatever happens, and does everybody see only his own?"""

from __future__ import annotations

import pytest

from pytest_llmbench import Observe

from . import judge, settlement, status_page


@pytest.mark.concurrency
@pytest.mark.money
def test_race(observe: Observe) -> None:
    """Three workers with four threads each send every payout exactly once."""
    seen = observe(judge.rush_hour)
    assert seen.paid_twice is None, seen.paid_twice
    assert seen.paid_wrongly is None, seen.paid_wrongly
    assert seen.booked_wrongly is None, seen.booked_wrongly


@pytest.mark.security
def test_sql_injection(observe: Observe) -> None:
    """A search shows the payouts of the worker with this name and nothing else, whatever is typed."""
    for search in observe(status_page.searches):
        assert search.wrong is None, search.wrong


@pytest.mark.money
def test_float_precision(observe: Observe) -> None:
    """Sums, fees, minimum, payments and totals are exact to the satoshi."""
    seen = observe(settlement.month_end)
    assert seen.settled_wrongly is None, seen.settled_wrongly
    assert seen.books.paid_twice is None, seen.books.paid_twice
    assert seen.books.paid_wrongly is None, seen.books.paid_wrongly
    assert seen.books.booked_wrongly is None, seen.books.booked_wrongly
    assert seen.summed_up_wrongly is None, seen.summed_up_wrongly


@pytest.mark.money
@pytest.mark.robustness
def test_atomicity(observe: Observe) -> None:
    """A payout whose result did not come back is paid neither twice nor lost, also after a power cut."""
    seen = observe(judge.outages)
    assert seen.paid_twice is None, seen.paid_twice
    assert seen.paid_wrongly is None, seen.paid_wrongly
    assert seen.booked_wrongly is None, seen.booked_wrongly
