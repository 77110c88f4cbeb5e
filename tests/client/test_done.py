from __future__ import annotations

import pytest

from pytest_llmbench.client.done import said_done_at_s

LONG = b'data: {"choices":[]}\n\n' * 3


def at_s(*reads: bytes) -> float | None:
    return said_done_at_s(tuple(enumerate(reads, start=1)))


@pytest.mark.parametrize(
    "line", [b"data: [DONE]", b"data:[DONE]", b"data: [DONE]\n\n", b"data: [DONE]\r\n\r\n", b"data: [DONE]\n \n"]
)
def test_the_read_that_completed_it(line: bytes) -> None:
    assert at_s(LONG, line) == 2
    assert at_s(LONG + line) == 1
    assert at_s(line) == 1


def test_it_may_be_split_anywhere() -> None:
    line = b"data: [DONE]\n\n"
    for cut in range(1, len(line)):
        assert at_s(LONG, line[:cut], line[cut:]) == (2 if cut >= line.index(b"]") + 1 else 3)
    assert at_s(*(bytes([byte]) for byte in LONG + line)) == len(LONG) + line.index(b"]") + 1


@pytest.mark.parametrize(
    "reads",
    [(), (b"",), (LONG,), (b"data: [DONE]\n\n", LONG), (b'data: {"content": "data: [DONE]',), (b"xdata: [DONE]",), (b"[DONE]",)],
)  # fmt: skip
def test_a_body_that_does_not_end_with_it(reads: tuple[bytes, ...]) -> None:
    assert at_s(*reads) is None
