from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.client.sse import Event, EventTooLongError, SseParser

CASES: dict[str, tuple[bytes, list[tuple[str, str]]]] = {
    "one event": (b"data: a\n\n", [("message", "a")]),
    "no space after the colon": (b"data:a\n\n", [("message", "a")]),
    "only the first space belongs to the colon": (b"data:  a \n\n", [("message", " a ")]),
    "several events": (b"data: a\n\ndata: b\n\n", [("message", "a"), ("message", "b")]),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [("message", "a"), ("message", "b")]),
    "CR": (b"data: a\r\rdata: b\r\r", [("message", "a"), ("message", "b")]),
    "CRLF between lines of data": (b"event: a\r\ndata: b\r\ndata: c\r\n\r\n", [("a", "b\nc")]),
    "mixed line ends": (b"data: a\r\n\ndata: b\n\r\ndata: c\r\n\r", [("message", each) for each in "abc"]),
    "multi-line data": (b"data: a\ndata: b\ndata:\ndata: c\n\n", [("message", "a\nb\n\nc")]),
    "empty data": (b"data:\n\n", [("message", "")]),
    "data without colon": (b"data\n\n", [("message", "")]),
    "comments and pings": (b": ping\n\n:\ndata: a\n: in between\ndata: b\n\n:\n\n", [("message", "a\nb")]),
    "error event": (b'event: error\ndata: {"message":"x"}\n\ndata: a\n\n', [("error", '{"message":"x"}'), ("message", "a")]),
    "a name without data is no event": (b"event: error\n\ndata: a\n\n", [("message", "a")]),
    "id and retry are not ours": (b"id: 7\nretry: 10\ndata: a\n\n", [("message", "a")]),
    "unknown fields": (b"datum: 1\n data: 2\ndata: a\n\n", [("message", "a")]),
    "BOM": (b"\xef\xbb\xbfdata: a\n\n", [("message", "a")]),
    "only the first BOM goes": (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [("message", "a")]),
    "characters of 2, 3 and 4 bytes": ("data: é€😀\n\n".encode(), [("message", "é€😀")]),
    "other separators of Unicode end no line": ("data: a\x0b\x0c\u2028\x85b\n\n".encode(), [("message", "a\x0b\x0c\u2028\x85b")]),
    "invalid UTF-8": (b"data: a\xffb\xe2\x82\ndata: c\n\n", [("message", "a\ufffdb\ufffd\nc")]),
    "no blank line at the end": (b"data: a\n\ndata: [DONE]\n", [("message", "a"), ("message", "[DONE]")]),
    "no line end at the end": (b"data: a\n\ndata: [DONE]", [("message", "a"), ("message", "[DONE]")]),
    "ends with CR": (b"data: a\r", [("message", "a")]),
    "nothing": (b"", []),
    "blank lines": (b"\n\r\n\r\r\n", []),
}  # fmt: skip

ALPHABET = st.sampled_from(
    [
        b"data",
        b": ",
        b":",
        b"event",
        b"\r",
        b"\n",
        b"\r\n",
        b"\n\n",
        "é😀".encode(),
        b"\xef\xbb\xbf",
        b"\xff",
        b" ",
        b"x",
    ]
)
STREAMS = st.lists(ALPHABET, max_size=40).map(b"".join)


def parse(*pieces: bytes, parser: SseParser | None = None) -> list[Event]:
    """Return the events, no matter which of them came out as plain ones."""
    parser = parser or SseParser()
    found: list[Event] = []
    for number, piece in enumerate(pieces):
        events, plain = parser.feed(piece)
        found += [*events, *(Event("message", raw, number) for raw in plain)]
    return found + parser.close()


def said(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.name, event.data) for event in events]


def bytewise(stream: bytes) -> list[Event]:
    return parse(*(bytes([byte]) for byte in stream))


def split(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(places)]


@pytest.mark.parametrize("name", CASES)
def test_read_whole(name: str) -> None:
    stream, wanted = CASES[name]
    assert said(parse(stream)) == wanted


@pytest.mark.parametrize("name", CASES)
def test_read_byte_by_byte(name: str) -> None:
    stream, wanted = CASES[name]
    assert said(bytewise(stream)) == wanted


@given(
    st.sampled_from([stream for stream, _ in CASES.values()]) | STREAMS, st.lists(st.integers(0, 10_000), max_size=12)
)
def test_every_split_gives_the_same_events_and_names_the_read_that_completed_each(
    stream: bytes, cuts: list[int]
) -> None:
    pieces = split(stream, cuts)
    events, by_byte = parse(*pieces), bytewise(stream)
    assert said(events) == said(by_byte)
    ends = [len(b"".join(pieces[: number + 1])) for number in range(len(pieces))]
    for event, reference in zip(events, by_byte, strict=True):
        at_the_end = reference.read == len(stream) - 1
        # The byte that completed the event lies in the read that the event names; what the end completes names the last.
        first_read = next(number for number, end in enumerate(ends) if reference.read < end)
        assert event.read == first_read or (at_the_end and event.read == len(pieces) - 1)


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_no_bytes_crash_it(pieces: list[bytes]) -> None:
    assert said(parse(*pieces)) == said(parse(b"".join(pieces)))


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n")), max_size=5),
    st.sampled_from(["\n", "\r", "\r\n"]),
)
def test_what_was_written_is_read(lines: list[str], newline: str) -> None:
    stream = "".join(f"data: {line}{newline}" for line in lines) + newline
    assert said(parse(stream.encode())) == ([("message", "\n".join(lines))] if lines else [])


@pytest.mark.parametrize("stream", [b"data: " + b"x" * 200, b"data: xxxxxxxxxxx\n" * 12, b":" + b"x" * 200 + b"\n"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_an_event_over_the_bound_is_refused(stream: bytes, size: int) -> None:
    parser = SseParser(max_event_bytes=100)
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    with pytest.raises(EventTooLongError, match="more than 100 bytes"):
        parse(*pieces, parser=parser)


@pytest.mark.parametrize("size", [1, 50])
def test_the_bound_is_for_one_event_not_for_the_stream(size: int) -> None:
    parser = SseParser(max_event_bytes=100)
    stream = b": ping\ndata: " + b"x" * 50 + b"\n\n: only a comment, no blank line\n"
    pieces = [(stream * 20)[start : start + size] for start in range(0, 20 * len(stream), size)]
    assert len(parse(*pieces, parser=parser)) == 20


def test_unnamed_events_of_one_line_come_out_together() -> None:
    parser = SseParser()
    assert parser.feed(b"data: a\n\ndata: b\n\ndata: c\n\ndata: d") == ([Event("message", b"a", 0)], [b"b", b"c"])
    assert parser.feed(b"e\n\ndata: f\n\n") == ([Event("message", b"de", 1)], [b"f"])
    assert parser.feed(b"data: g\n\n") == ([], [b"g"])


@pytest.mark.parametrize(
    "stream",
    [b": ping\n\n", b"event: x\ndata: b\n\n", b"data: b\ndata: c\n\n", b"data:b\n\n", b"id: 7\ndata: b\n\n", b"data: b\r\n\r\n", b"\n"],
)  # fmt: skip
def test_where_one_event_of_a_read_is_not_plain_none_is(stream: bytes) -> None:
    parser = SseParser()
    parser.feed(b"data: first\n\n")
    for whole in (b"data: a\n\n" + stream + b"data: z\n\n", stream + b"data: z\n\n"):
        events, plain = parser.feed(whole)
        assert plain == []
        assert events[-1].raw == b"z"
