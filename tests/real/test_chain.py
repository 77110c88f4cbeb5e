from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.real.chain_cut import cut
from tests.real.chain_model import Chain, byte_letters


@given(text=st.binary(min_size=2), piece_bytes=st.integers(1, 9))
def test_pieces_are_distinct_and_make_up_the_text(text: bytes, piece_bytes: int) -> None:
    pieces = cut(text, piece_bytes)
    assert b"".join(pieces) == text
    assert len(set(pieces)) == len(pieces)
    assert min(map(len, pieces)) >= 2


def test_text_that_no_cut_makes_distinct_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot cut"):
        cut(b"x", 5)


def test_letters_of_bytes_are_distinct() -> None:
    assert len(set(byte_letters())) == 256


def test_every_piece_wins_by_a_wide_margin() -> None:
    chain = Chain.of(" ".join(str(number) for number in range(2_000)))
    weights = chain.weights()
    first = len(chain.vocabulary) - len(chain.pieces)
    logits = weights["model.embed_tokens.weight"][first:] @ weights["lm_head.weight"].T
    best = logits.argmax(axis=1)
    assert best.tolist() == [*range(first + 1, len(chain.vocabulary)), chain.token("<|end|>")]
    logits.sort(axis=1)
    assert (logits[:, -1] - logits[:, -2]).min() > 30
