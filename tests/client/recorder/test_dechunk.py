from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.client.recorder import dechunk
from pytest_llmbench.client.recorder.dechunk import MAX_LINE_BYTES, Dechunker

CASES: dict[str, tuple[bytes, bytes]] = {
    "one chunk": (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    "two chunks": (b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
    "no chunk": (b"0\r\n\r\n", b""),
    "hexadecimal of either case": (b"a\r\n0123456789\r\nB\r\n0123456789x\r\n0\r\n\r\n", b"01234567890123456789x"),
    "leading zeros": (b"0003\r\nabc\r\n000\r\n\r\n", b"abc"),
    "extensions": (b'3;name=value;other="a b"\r\nabc\r\n0;last\r\n\r\n', b"abc"),
    "white space after the size": (b"3 \t\r\nabc\r\n0\r\n\r\n", b"abc"),
    "trailers": (b"3\r\nabc\r\n0\r\nX-Took: 1\r\nDigest: 0\r\n\r\n", b"abc"),
    "line ends in the data": (b"9\r\na\r\n0\r\n\r\nb\r\n0\r\n\r\n", b"a\r\n0\r\n\r\nb"),
    "data that looks like a last chunk": (b"5\r\n0\r\n\r\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n0\r\n\r\n"),
    "size lines ended by LF": (b"3\nabc\r\n0\n\n", b"abc"),
}

BAD: dict[str, tuple[bytes, str]] = {
    "no number": (b"xyz\r\nabc\r\n", "malformed chunk size: 'xyz"),
    "empty size": (b"\r\nabc\r\n", "malformed chunk size"),
    "a sign": (b"+3\r\nabc\r\n", "malformed chunk size: '+3"),
    "a prefix": (b"0x3\r\nabc\r\n", "malformed chunk size: '0x3"),
    "underscores": (b"1_0\r\nabc\r\n", "malformed chunk size: '1_0"),
    "white space before the size": (b" 3\r\nabc\r\n", "malformed chunk size: ' 3"),
    "too many digits": (b"1" * 17 + b"\r\nabc", "malformed chunk size"),
    "more data than said": (b"2\r\nabc\r\n0\r\n\r\n", "a chunk goes on after its size: 'c"),
    "less data than said": (b"4\r\nabc\r\n0\r\n\r\n", "a chunk goes on after its size: '\\n0"),
    "a size line without end": (b"1;" + b"x" * 2 * MAX_LINE_BYTES, "malformed chunk size"),
    "trailers without end": (b"0\r\n" + b"x: y\r\n" * MAX_LINE_BYTES, "trailers of more than"),
    "a trailer without end": (b"0\r\n" + b"x" * 2 * MAX_LINE_BYTES, "malformed trailer"),
}


@pytest.fixture(scope="module", params=[0, sys.maxsize], ids=["together", "one by one"], autouse=True)
def many_bytes(request: pytest.FixtureRequest) -> Iterator[None]:
    """All of this holds for chunks that are looked for together, and for those that are not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dechunk, "MANY_BYTES", request.param)
        yield


def decode(*pieces: bytes) -> tuple[bytes, Dechunker]:
    dechunker = Dechunker()
    return b"".join([dechunker.feed(piece) for piece in pieces]), dechunker


def split(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(places)]


def bytewise(stream: bytes) -> list[bytes]:
    return [bytes([byte]) for byte in stream]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("cut", [lambda stream: [stream], bytewise], ids=["whole", "byte by byte"])
def test_a_coded_body(name: str, cut: object) -> None:
    stream, wanted = CASES[name]
    assert callable(cut)
    body, dechunker = decode(*cut(stream))
    assert (body, dechunker.is_done, dechunker.problem, dechunker.surplus) == (wanted, True, None, b"")


@pytest.mark.parametrize("name", CASES)
def test_it_is_not_done_before_its_last_byte(name: str) -> None:
    stream, _ = CASES[name]
    dechunker = Dechunker()
    for piece in bytewise(stream):
        assert not dechunker.is_done
        dechunker.feed(piece)
    assert dechunker.is_done


@pytest.mark.parametrize("name", CASES)
def test_what_comes_after_the_end_is_no_part_of_it(name: str) -> None:
    stream, wanted = CASES[name]
    for pieces in ([stream + b"HTTP/1.1"], [stream, b"HTTP", b"/1.1"]):
        body, dechunker = decode(*pieces)
        assert (body, dechunker.surplus) == (wanted, b"HTTP/1.1")


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("cut", [lambda stream: [stream], bytewise], ids=["whole", "byte by byte"])
def test_a_malformed_body_is_named_and_never_done(name: str, cut: object) -> None:
    stream, said = BAD[name]
    assert callable(cut)
    _, dechunker = decode(*cut(stream))
    assert dechunker.problem is not None
    assert dechunker.problem.startswith(said.split(": '")[0])
    assert len(dechunker.problem) < 200
    assert not dechunker.is_done
    _, whole = decode(stream)
    assert whole.problem is not None
    assert whole.problem.startswith(said)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_what_came_before_the_fault_is_kept(size: int) -> None:
    stream = b"3\r\nabc\r\nzz\r\n"
    assert decode(*[stream[at : at + size] for at in range(0, len(stream), size)])[0] == b"abc"


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=10), st.lists(st.integers(0, 10_000), max_size=12))
def test_every_split_gives_the_same_body(chunks: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    body, dechunker = decode(*split(stream, cuts))
    assert (body, dechunker.is_done) == (b"".join(chunks), True)


@given(st.lists(st.sampled_from([b"3", b"0", b"\r\n", b"\n", b"\r", b"abc", b";", b" ", b"x: y"]), max_size=20).map(b"".join),
       st.lists(st.integers(0, 100), max_size=8))  # fmt: skip
def test_no_bytes_crash_it_and_every_split_ends_alike(stream: bytes, cuts: list[int]) -> None:
    (whole, one), (pieces, other) = decode(stream), decode(*split(stream, cuts))
    assert (whole, one.is_done, one.problem is None, one.surplus) == (pieces, other.is_done, other.problem is None, other.surplus)  # fmt: skip


def test_chunks_of_a_long_read_are_looked_for_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_by_one(data: bytes, at: int, body: list[bytes]) -> int:
        taken.append((len(data) - at, len(body)))
        return at

    taken: list[tuple[int, int]] = []
    monkeypatch.setattr(dechunk, "MANY_BYTES", 100)
    monkeypatch.setattr(dechunk, "_whole_chunks", one_by_one)
    stream = b"a\r\n0123456789\r\n" * 20
    dechunker = Dechunker()
    assert dechunker.feed(stream + b"a\r\n01") == b"0123456789" * 20 + b"01"
    assert taken == [(5, 20)], "only what is not whole was left"
    assert dechunker.feed(b"23456789\r\n" + b"3\r\na\r\n\r\n" + stream)[:11] == b"23456789a\r\n"
    assert taken[1] == (len(stream) + 8, 1), "where a line end is in one of them, all were left"
