from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.client.recorder.head import MAX_HEAD_BYTES, Head, HeadError, read_head, request_bytes


def head(text: bytes, method: bytes = b"POST") -> Head:
    found = read_head(text + b"the body", method)
    assert found is not None
    assert found[1] == len(text)
    return found[0]


def test_a_head() -> None:
    read = head(b"HTTP/1.1 200 Very well\r\nContent-Type:  text/plain \r\nX-Empty:\r\n\r\n")
    assert (read.status, read.reason) == (200, b"Very well")
    assert read.fields == ((b"Content-Type", b"text/plain"), (b"X-Empty", b""))
    assert read.value(b"content-type") == b"text/plain"
    assert read.value(b"x-none") is None
    assert not read.is_interim


@pytest.mark.parametrize("text", [b"HTTP/1.1 200 \r\n\r\n", b"HTTP/1.1 200\r\n\r\n", b"HTTP/1.1 200 OK\nA: b\n\n"])
def test_forms_that_servers_send(text: bytes) -> None:
    assert head(text).status == 200


def test_a_field_of_many_spaces_is_read_at_once() -> None:
    value = b"x" + b" " * (MAX_HEAD_BYTES - 100) + b"y"
    began_s = time.process_time()
    assert head(b"HTTP/1.1 200 OK\r\nA:\t " + value + b" \t\r\n\r\n").value(b"a") == value
    assert time.process_time() - began_s < 5, "it took as long as the square of its length"


def test_half_a_head_is_none_yet() -> None:
    text = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
    assert all(read_head(text[:size]) is None for size in range(len(text)))


@pytest.mark.parametrize(
    ("status", "fields", "chunked", "length_bytes"),
    [
        (200, b"Content-Length: 7\r\n", False, 7),
        (200, b"content-length: 7, 7\r\nContent-Length: 7\r\n", False, 7),
        (200, b"Transfer-Encoding: Chunked\r\n", True, None),
        (200, b"Transfer-Encoding: chunked\r\nContent-Length: 7\r\n", True, None),
        (200, b"Transfer-Encoding: identity\r\n", False, None),
        (200, b"", False, None),
        (204, b"Content-Length: 7\r\n", False, 0),
        (304, b"Transfer-Encoding: chunked\r\n", False, 0),
        (103, b"", False, 0),
    ],
)
def test_how_the_end_of_the_body_is_told(status: int, fields: bytes, chunked: bool, length_bytes: int | None) -> None:  # noqa: FBT001 (parametrised)
    read = head(b"HTTP/1.1 %d X\r\n%s\r\n" % (status, fields))
    assert (read.is_chunked, read.length_bytes) == (chunked, length_bytes)


def test_the_answer_to_head_has_no_body() -> None:
    assert head(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", b"HEAD").length_bytes == 0


@pytest.mark.parametrize(
    ("minor", "fields", "keeps"),
    [(1, b"", True), (1, b"Connection: close\r\n", False), (1, b"Connection: Keep-Alive, Close\r\n", False),
     (0, b"", False), (0, b"Connection: keep-alive\r\n", True)],
)  # fmt: skip
def test_whether_the_connection_serves_again(minor: int, fields: bytes, keeps: bool) -> None:  # noqa: FBT001 (parametrised)
    assert head(b"HTTP/1.%d 200 OK\r\n%s\r\n" % (minor, fields)).keeps_alive is keeps


def test_an_interim_head() -> None:
    assert head(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n").is_interim


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"HTTP/2 200\r\n\r\n", "no status line"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no status line"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "no status line"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "no header"),
        (b"HTTP/1.1 200 OK\r\n: nameless\r\n\r\n", "no header"),
        (b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", "no header"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "no header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "no length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "no length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n", "no length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "not asked for"),
        (b"x" * (MAX_HEAD_BYTES + 1), "a head of more than"),
    ],
)
def test_what_is_no_head(text: bytes, said: str) -> None:
    with pytest.raises(HeadError, match=said):
        read_head(text)


@given(st.binary(max_size=60) | st.lists(st.sampled_from([b"HTTP/1.1 200 OK", b"\r\n", b"A: b", b"Content-Length: 1", b"\n", b" "]), max_size=9).map(b"".join))  # fmt: skip
def test_no_bytes_crash_it(data: bytes) -> None:
    try:
        found = read_head(data)
    except HeadError:
        return
    assert found is None or 0 < found[1] <= len(data)


def test_a_request() -> None:
    fields = [(b"Host", b"h"), (b"Transfer-Encoding", b"chunked"), (b"content-length", b"9")]
    assert (
        request_bytes(b"POST", b"/v1?a=b", fields, b"{}")
        == b"POST /v1?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert request_bytes(b"POST", b"/", [], b"") == b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    assert request_bytes(b"GET", b"/", [], b"") == b"GET / HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize("value", [b"a\r\nB: c", b"a\nB: c", b"a\rb", b"a\0"])
def test_a_field_cannot_smuggle_another_one_in(value: bytes) -> None:
    with pytest.raises(HeadError, match="line break"):
        request_bytes(b"GET", b"/", [(b"A", value)], b"")
    with pytest.raises(HeadError, match="line break"):
        request_bytes(b"GET", b"/" + value, [], b"")
