from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.prefill import Prefill, PrefillPoint, prefill

LENGTHS = (512, 2048, 8192)


def fitted(points: list[PrefillPoint]) -> Prefill:
    found = prefill(points)
    assert isinstance(found, Prefill)
    return found


def test_the_fixed_cost_is_no_part_of_the_rate() -> None:
    found = fitted([PrefillPoint(tokens, 0.05 + tokens / 10_000, 0) for tokens in LENGTHS])
    assert found.rate_tok_s == pytest.approx(10_000)
    assert found.fixed_s == pytest.approx(0.05)
    assert found.misfit == pytest.approx(0, abs=1e-9)
    assert (found.lengths, found.cache_known, found.low_tok_s, found.high_tok_s) == (3, True, None, None)


def test_cached_tokens_are_not_read() -> None:
    points = [PrefillPoint(tokens + 1000, 0.05 + tokens / 10_000, 1000) for tokens in LENGTHS]
    assert fitted(points).rate_tok_s == pytest.approx(10_000)
    assert fitted(points).fixed_s == pytest.approx(0.05)


def test_one_slow_round_does_not_move_the_slope() -> None:
    points = [PrefillPoint(tokens, 0.05 + tokens / 10_000) for tokens in LENGTHS for _ in range(3)]
    found = fitted([*points, PrefillPoint(512, 3.0)])
    assert found.rate_tok_s == pytest.approx(10_000, rel=0.01)
    assert not found.cache_known


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    random = Random(7)  # noqa: S311 (no secret)
    held = 0
    for _ in range(300):
        points = [
            PrefillPoint(tokens, 0.05 + tokens / 10_000 + random.gauss(0, 0.01)) for tokens in LENGTHS for _ in range(5)
        ]
        found = fitted(points)
        assert found.low_tok_s is not None
        assert found.high_tok_s is not None
        assert found.low_tok_s <= found.rate_tok_s <= found.high_tok_s
        held += found.low_tok_s <= 10_000 <= found.high_tok_s
    assert 0.9 <= held / 300 <= 1.0


def test_what_cannot_be_fitted_is_unknown() -> None:
    two = [PrefillPoint(tokens, 0.1) for tokens in (512, 2048, 2048)]
    assert prefill(two) == Unknown("2 different prompt lengths, 3 are needed for a slope")
    flat = prefill([PrefillPoint(tokens, 0.1) for tokens in LENGTHS])
    assert isinstance(flat, Unknown)
    assert "does not grow" in flat.reason


def test_a_line_that_does_not_describe_the_points_shows_it() -> None:
    found = fitted([PrefillPoint(tokens, (tokens / 4000) ** 2) for tokens in (512, 1024, 2048, 4096, 8192)])
    assert found.misfit > 0.2
    assert found.fixed_s < 0


@given(st.floats(100, 100_000), st.floats(0, 5), st.lists(st.integers(1, 50_000), min_size=3, max_size=9, unique=True))
def test_a_line_is_found_whatever_it_is(rate_tok_s: float, fixed_s: float, lengths: list[int]) -> None:
    found = fitted([PrefillPoint(tokens, fixed_s + tokens / rate_tok_s) for tokens in lengths])
    assert found.rate_tok_s == pytest.approx(rate_tok_s, rel=1e-3)
