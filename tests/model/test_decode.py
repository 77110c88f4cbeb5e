from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.model.decode import NO_TEXT, NO_USAGE, ONE_READ, TOO_SHORT, decode_rate, share_out
from pytest_llmbench.model.unknown import Unknown


@pytest.mark.parametrize(
    ("said", "total", "shares"),
    [
        ([None, None], 5, (2.5, 2.5)),
        ([1, 3], 5, (1, 3)),  # the fifth had no text
        ([1, 3], None, (1, 3)),
        ([1, None, None], 5, (1, 2, 2)),
        ([0, 2], 2, (0, 2)),
        ([None], None, NO_USAGE),
        ([], 5, NO_TEXT),
    ],
)
def test_shares(said: list[int | None], total: int | None, shares: tuple[float, ...] | Unknown) -> None:
    assert share_out(said, total) == shares


def test_more_than_the_total_is_a_contradiction() -> None:
    assert isinstance(share_out([3, 3], 5), Unknown)


@given(st.lists(st.none() | st.integers(0, 9), min_size=1), st.integers(0, 99))
def test_shares_never_exceed_the_total(said: list[int | None], total: int) -> None:
    shares = share_out(said, total)
    if not isinstance(shares, Unknown):
        assert len(shares) == len(said)
        assert sum(shares) <= total + 1e-9
        assert all(share >= 0 for share in shares)


def test_rate() -> None:
    assert decode_rate([1.0, 2.0, 3.0], [5, 4, 4]) == 4
    assert decode_rate([1.0, 1.0, 2.0, 3.0], [5, 5, 4, 4]) == 4
    assert decode_rate([0.5, 1.0, 2.0, 3.0, 9.0], [0, 5, 4, 4, 0]) == 4
    assert decode_rate([1.0, 1.0], [5, 4]) == ONE_READ
    assert decode_rate([1.0, 1.04], [5, 4]) == TOO_SHORT
    assert decode_rate([1.0], [0]) == NO_TEXT
