from __future__ import annotations

import pytest

from pytest_llmbench.model.completion import Completion, Exchange, Timing, Usage


def completion(tokens: int | None, first_s: float | None, last_s: float | None, chunks: int) -> Completion:
    exchange = Exchange(
        "x",
        usage=Usage(completion_tokens=tokens),
        timing=Timing(ttft_s=first_s, last_token_s=last_s, text_chunks=chunks),
    )
    return Completion("e", "s", 1, {}, "", exchange)


def test_tokens_of_the_first_chunk_are_not_in_the_interval() -> None:
    # 100 tokens, 10 ms each, one a chunk: 99 intervals.
    assert completion(100, 0.5, 0.5 + 0.99, 100).decode_tok_s == pytest.approx(100)
    # The same, three tokens a chunk: 33 chunks, 32 intervals of 30 ms, 96 tokens after the first chunk.
    assert completion(99, 0.5, 0.5 + 0.96, 33).decode_tok_s == pytest.approx(100)


@pytest.mark.parametrize(
    "unknown",
    [
        completion(None, 0.5, 1.0, 10),
        completion(10, None, None, 0),
        completion(10, 0.5, 0.5, 1),
        completion(10, 0.5, 1.0, 0),
        completion(10, 0.5, 0.5, 10),
        completion(20, 0.5, 0.507, 20),
        Completion("e", "s", 1, {}, "", None, "refused"),
    ],
)
def test_what_cannot_be_known_is_none(unknown: Completion) -> None:
    assert unknown.decode_tok_s is None
