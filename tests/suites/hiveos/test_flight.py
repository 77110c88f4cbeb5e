"""Flight sheets, and reading them back from a command line."""

from __future__ import annotations

import random

import pytest

from suites.hiveos.flight import POOL_OPTIONS, api_port_of, contains_in_order, draw_flight, values_of


def test_the_pool_is_made_from_the_flight_sheet() -> None:
    flight = draw_flight(random.Random(1), extras=2)  # noqa: S311 - repeatable
    scheme, _, server = flight.url.partition("://")
    assert flight.pool == f"{scheme}://{flight.template}:{flight.password}@{server}"
    assert "=" in flight.password


def test_no_value_holds_what_a_shell_takes_for_its_own() -> None:
    for seed in range(200):
        *fields, extras = draw_flight(random.Random(seed), extras=3).fields  # noqa: S311 - repeatable
        assert all(set(field) <= set("abcdefghijklmnopqrstuvwxyz0123456789=,.:/+-_") for field in fields)
        assert set(extras) <= set("abcdefghijklmnopqrstuvwxyz0123456789=- ")
        assert "  " not in extras


def test_three_extra_arguments_hold_one_that_tells_whose_they_are() -> None:
    for seed in range(200):
        flight = draw_flight(random.Random(seed), extras=3)  # noqa: S311 - repeatable
        assert flight.own_extras
        assert {"5", "-v", "--report-hashrate"}.isdisjoint(flight.own_extras)


@pytest.mark.parametrize(
    "argv", [["-P", "x://y"], ["-Px://y"], ["--pool", "x://y"], ["--pool=x://y"], ["-U", "-P", "x://y", "-v"]]
)
def test_a_pool_is_found_however_it_is_written(argv: list[str]) -> None:
    assert values_of(argv, POOL_OPTIONS) == ("x://y",)


def test_every_pool_counts() -> None:
    assert values_of(["-P", "a", "--pool=b", "-P"], POOL_OPTIONS) == ("a", "b")


@pytest.mark.parametrize(
    ("argv", "port"),
    [
        (["--api-bind", "127.0.0.1:-3334"], 3334),
        (["--api-bind=0.0.0.0:-4455"], 4455),
        (["--api-port", "-3334"], 3334),
        (["--api-port=-3334"], 3334),
        (["--api-port", "3334"], None),
        (["--api-bind", "127.0.0.1:3334"], None),
        (["--api-bind", "127.0.0.1:-"], None),
        (["--api-bind"], None),
        (["--api-port", "-0"], None),
        (["--api-port", "-65536"], None),
        (["--api-port", "-٣٣٣٤"], None),
        (["--api-port", "-" + "9" * 5000], None),
        (["--api-port", "-1", "--api-port", "-2"], None),
        ([], None),
    ],
)
def test_the_api_is_read_only_on_one_port(argv: list[str], port: int | None) -> None:
    assert api_port_of(argv) == port


def test_extra_arguments_stand_in_their_order_each_on_its_own() -> None:
    assert contains_in_order(["-P", "x", "-v", "5", "-U"], ["-v", "5"])
    assert not contains_in_order(["-v 5"], ["-v", "5"])
    assert not contains_in_order(["5", "-v"], ["-v", "5"])
