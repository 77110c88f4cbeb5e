from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.model.completion import Exchange, Timing
from pytest_llmbench.speed.goodput import Bounds, Goodput, goodput, read_bounds
from pytest_llmbench.speed.window import Flight, Period, periods_at, span_s, system_figures
from tests.speed.schedule import flight, streamed


def test_one_stream_decodes_at_its_own_rate() -> None:
    found = system_figures([flight(50.0, streamed())], 1)
    assert found.decode_throughput_tok_s == pytest.approx(100)
    assert found.throughput_tok_s == pytest.approx(256 / 2.651)  # reading the prompt is in it
    assert found.window_s == pytest.approx(2.651)
    assert found.request_rate_s == pytest.approx(1 / 2.651)
    assert found.peak_tok_s == pytest.approx(100)
    assert not found.unknown


def test_streams_that_begin_and_end_together() -> None:
    found = system_figures([flight(50.0, streamed()) for _ in range(8)], 8)
    assert found.decode_throughput_tok_s == pytest.approx(800)
    assert found.peak_tok_s == pytest.approx(800)


def test_ramps_are_no_part_of_the_rate() -> None:
    # Each a second after the one before: all four run from 53 to 60.1; tokens come from 50.1 to 63.1 in all.
    flights = [flight(50.0 + late, streamed(1001)) for late in range(4)]
    found = system_figures(flights, 4)
    assert found.window_s == pytest.approx(60.101 - 53)
    assert found.throughput_tok_s == pytest.approx((4 * 700 + 3 * 10) / 7.101, rel=0.002)  # one begins only at 53.1
    assert found.decode_throughput_tok_s == pytest.approx(400, rel=0.002)
    assert found.peak_tok_s == pytest.approx(400, rel=0.01)


def test_a_closed_loop_is_one_window_in_spite_of_the_moments_between_requests() -> None:
    def user(begin_s: float) -> list[Flight]:
        return [flight(begin_s + number * 1.105, streamed(100)) for number in range(10)]  # 14 ms between two

    flights = [each for late in range(8) for each in user(50 + 0.13 * late)]
    found = system_figures(flights, 8)
    assert found.window_s == pytest.approx(11.05 - 0.13 * 7, abs=0.1)
    assert found.throughput_tok_s == pytest.approx(8 * 100 / 1.105, rel=0.01)


def test_waves_are_measured_while_all_of_a_wave_run() -> None:
    # Two waves of two; in each, one of them runs on alone.
    waves = [flight(sent_s, streamed(tokens)) for sent_s in (10.0, 20.0) for tokens in (101, 301)]
    found = system_figures(waves, 2)
    assert found.window_s == pytest.approx(2 * 1.101)
    assert found.throughput_tok_s == pytest.approx(2 * 2 * 101 / (2 * 1.101))


def test_an_open_loop_is_measured_from_its_first_to_its_last_arrival() -> None:
    random = Random(5)  # noqa: S311 (no secret)
    flights = [flight(50 + number * 0.1 + random.random() * 0.01, streamed(100)) for number in range(200)]
    found = system_figures(flights, None)
    assert found.window_s == pytest.approx(19.9, abs=0.1)
    assert found.throughput_tok_s == pytest.approx(1000, rel=0.1)  # ten a second of 100 each; the first fill it up
    assert found.request_rate_s == pytest.approx(200 / 21, rel=0.02)


def test_what_is_not_there_is_none() -> None:
    never = system_figures([flight(50.0, streamed())], 2)
    assert never.throughput_tok_s is never.window_s is None
    assert never.unknown["window_s"] == "2 requests were never in flight"
    assert never.peak_tok_s == pytest.approx(100)
    short = system_figures([flight(50.0, streamed(20))], 1)
    assert short.throughput_tok_s is short.peak_tok_s is None
    assert "0.29 s only" in short.unknown["throughput_tok_s"]
    silent = system_figures([flight(50.0, streamed()), flight(50.0, streamed(usage=False))], 2)
    assert silent.throughput_tok_s is silent.peak_tok_s is None
    assert silent.unknown["throughput_tok_s"].startswith("1 of 2 answers: the server sent no token counts")
    assert silent.request_rate_s is not None
    failed = system_figures([Flight(50.0, 51.0, None)], 1)
    assert (failed.requests, failed.failed, failed.request_rate_s) == (1, 1, None)


def test_a_failed_request_was_in_flight_and_brought_nothing() -> None:
    found = system_figures([flight(50.0, streamed()), Flight(50.0, 60.0, None)], 2)
    assert (found.requests, found.failed) == (2, 1)
    assert found.throughput_tok_s == pytest.approx(256 / 2.651)
    assert found.request_rate_s == pytest.approx(1 / 10)


def test_the_peak_is_that_of_any_second_not_of_a_grid() -> None:
    found = system_figures([flight(50.0, streamed(100, ttft_s=1.5)), flight(52.0, streamed(100, ttft_s=0.2))], 1)
    # 51.5 to 52.49 and 52.2 to 53.19: 52.2 to 52.49 has both of them.
    assert found.peak_tok_s == pytest.approx(130, abs=2)


spans = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=12)


@given(spans=spans, at_least=st.integers(1, 4))
def test_periods_hold_just_the_moments_with_so_many_spans(spans: list[tuple[int, int]], at_least: int) -> None:
    found = periods_at([Period(begin, begin + size) for begin, size in spans], at_least, bridged_s=0.0)
    assert all(earlier.to_s < later.from_s for earlier, later in pairwise(found))
    for half in range(80):
        moment = half + 0.5
        running = sum(begin < moment < begin + size for begin, size in spans)
        assert (running >= at_least) == any(period.from_s < moment < period.to_s for period in found)


@given(factor=st.floats(1.0, 20.0), shift_s=st.floats(0, 1000))
def test_rates_scale_with_time_and_do_not_depend_on_its_zero(factor: float, shift_s: float) -> None:
    def placed(factor: float, shift_s: float) -> list[Flight]:
        return [
            flight(
                shift_s + factor * late,
                streamed(101, ttft_s=0.1 * factor, interval_s=0.01 * factor, timing=Timing(e2e_s=1.2 * factor)),
            )
            for late in (0, 0.25)
        ]

    one, other = system_figures(placed(1.0, 0.0), 2), system_figures(placed(factor, shift_s), 2)
    assert one.throughput_tok_s is not None
    # A token on the very edge may fall to either side of it by rounding.
    assert other.throughput_tok_s == pytest.approx(one.throughput_tok_s / factor, rel=0.03)


def test_goodput() -> None:
    flights = [
        flight(50.0, streamed()),
        flight(50.0, streamed(ttft_s=0.5)),  # late
        flight(50.0, streamed(interval_s=0.02)),  # slow
        Flight(50.0, 60.0, None),
    ]
    assert span_s(flights) == 10
    assert goodput(flights, Bounds(0.2, 0.015)) == Goodput(1, 4, 0.25, 0.1)
    assert goodput(flights, Bounds(max_ttft_s=0.2)) == Goodput(2, 4, 0.5, 0.2)
    assert goodput(flights, Bounds()) == Goodput(3, 4, 0.75, 0.3)


@pytest.mark.parametrize(
    ("bounds", "met"),
    [
        (Bounds(max_itl_s=0.015), 2),
        (Bounds(max_itl_s=0.005), 0),
        (Bounds(max_e2e_s=2.7), 1),
        (Bounds(max_e2e_s=10.0), 3),
        (Bounds(max_ttft_s=0.2, max_e2e_s=2.7), 1),
        (Bounds(max_ttft_s=0.2, max_itl_s=0.03), 2),
    ],
)
def test_goodput_by_the_slowest_tokens_and_by_the_end(bounds: Bounds, met: int) -> None:
    flights = [
        flight(0.0, streamed()),  # 2.65 s
        flight(1.0, streamed(interval_s=0.02)),  # 5.2 s
        flight(2.0, streamed(ttft_s=0.3)),  # 2.85 s
    ]
    found = goodput(flights, bounds)
    assert isinstance(found, Goodput)
    assert (found.met, found.judged) == (met, 3)


def test_bounds_as_a_user_writes_them() -> None:
    assert read_bounds("ttft:0.5,tpot:0.05") == Bounds(max_ttft_s=0.5, max_tpot_s=0.05)
    assert read_bounds("itl:.1, e2e:30") == Bounds(max_itl_s=0.1, max_e2e_s=30.0)
    assert read_bounds("e2e:30,ttft:.5").by_name == {"ttft": 0.5, "e2e": 30.0}
    assert Bounds().by_name == {}


@pytest.mark.parametrize(
    "text", ["", "ttft", "ttft:", "ttft:0", "ttft:-1", "ttft:nan", "ttft:inf", "ttft:1,ttft:2", "rate:1"]
)
def test_bounds_that_cannot_be_meant_are_refused_with_what_was_wanted(text: str) -> None:
    with pytest.raises(ValueError, match=r"wanted NAME:SECONDS, by commas, each NAME once: ttft, tpot, itl, e2e"):
        read_bounds(text)


def test_goodput_of_requests_that_cannot_be_judged() -> None:
    unknown = flight(50.0, streamed(usage=False))
    late = flight(50.0, streamed(usage=False, ttft_s=0.5))
    bounds = Bounds(0.2, 0.015)
    assert goodput([unknown, flight(50.0, streamed())], bounds) == Goodput(1, 1, 1.0, None)
    assert goodput([late], bounds) == Goodput(0, 1, 0.0, 0.0)  # whatever its rate was
    assert not isinstance(goodput([unknown], bounds), Goodput)
    assert not isinstance(goodput([], bounds), Goodput)
    whole = Flight(50.0, 52.0, Exchange("x", timing=Timing(e2e_s=2.0)))
    assert not isinstance(goodput([whole], bounds), Goodput)
