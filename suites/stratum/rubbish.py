"""What some people send to a pool: lines that must not be credited, each made from a share that would be."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LONG_LINE = 200_000
NO_END = 300_000
DEEP = 5_000
WINDOW_S = 7200
WRONG_TYPES: tuple[Any, ...] = (None, True, 7, -1, 1.5, [], {}, ["x"])
NO_HEX_32 = (
    *("", "-1", "-0000001", "+1234567", "0x1_0000", "0x123456", "1_234567", "123", "1234567", "zzzzzzzz"),
    *(
        " 1234567",
        "1234567 ",
        "12 34 56",
        "12 34 56 78",
        " 12345678",
        "12345678\n",
        "\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668",
    ),
    *("\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", "\ud8001234567"),
)
"""Nearly numbers of 32 bits."""
NAMES = ("worker", "job id", "extranonce2", "ntime", "nonce")


@dataclass(frozen=True, slots=True)
class Rubbish:
    """Something that a client sends."""

    what: str
    data: bytes
    number: int | None = None
    """Id of the request in it, if it has one that a reply can be told by."""


def every_kind(rng: random.Random) -> tuple[str, ...]:
    """Return the names of all kinds of rubbish in random order."""
    params = ["w", "1", "00000000", "60000000", "00000000"]
    names = [rubbish.what for rubbish in all_rubbish(1, params)]
    rng.shuffle(names)
    return tuple(names)


def all_rubbish(number: int, good: Sequence[str]) -> Iterator[Rubbish]:
    """Make each kind from the params of a good share; requests get this id."""
    yield from _wrong_params(number, list(good))
    yield from _wrong_requests(number, list(good))
    yield from _wrong_lines(number, list(good))


def _wrong_params(number: int, good: list[str]) -> Iterator[Rubbish]:
    def submit(what: str, params: object) -> Rubbish:
        return Rubbish(what, _line({"id": number, "method": "mining.submit", "params": params}), number)

    for what, params in {
        "null": None,
        "a dict": dict(zip(NAMES, good, strict=True)),
        "a string": " ".join(good),
        "a number": 5,
        "an empty list": [],
        "a list of four": good[:4],
        "a list in a list": [good],
    }.items():
        yield submit(f"params that are {what}", params)
    for at, name in enumerate(NAMES):
        for wrong in WRONG_TYPES:
            yield submit(f"{name} {json.dumps(wrong)}", [*good[:at], wrong, *good[at + 1 :]])
    worker, job_id, extranonce2, ntime, nonce = good
    for text in NO_HEX_32:
        yield submit(f"nonce {text!a}", [worker, job_id, extranonce2, ntime, text])
        yield submit(f"extranonce2 {text!a}", [worker, job_id, text, ntime, nonce])
    for what, text in {
        "00000000": "00000000",
        "0": "0",
        "before the job's": f"{int(ntime, 16) - 700:08x}",
        "far after the job's": f"{int(ntime, 16) + WINDOW_S + 1:08x}",
        "with more digits": f"00000000{ntime}",
        "with a sign": f"+{ntime[1:]}",
        "with an underscore": f"{ntime[:4]}_{ntime[4:]}",
        "with a space": f" {ntime}",
        "with a prefix": f"0x{ntime}",
    }.items():
        yield submit(f"ntime {what}", [worker, job_id, extranonce2, text, nonce])
    yield submit("nonce with more digits", [worker, job_id, extranonce2, ntime, f"00{nonce}"])
    yield submit("nonce with a prefix", [worker, job_id, extranonce2, ntime, f"0x{nonce}"])
    yield submit("extranonce2 with a byte more", [worker, job_id, f"{extranonce2}00", ntime, nonce])
    yield submit("extranonce2 with a byte less", [worker, job_id, extranonce2[:-2], ntime, nonce])
    yield submit("extranonce2 with a digit less", [worker, job_id, extranonce2[:-1], ntime, nonce])
    yield submit("unknown job id", [worker, f"{job_id}-no-such-job", extranonce2, ntime, nonce])
    yield submit("unauthorised worker", [f"{worker}.nobody", *good[1:]])


def _wrong_requests(number: int, good: list[str]) -> Iterator[Rubbish]:
    wrong = [*good[:4], "-1"]
    submit: dict[str, Any] = {"method": "mining.submit", "params": wrong}
    for identity in ("null", "{}", "[]", "1e400", "NaN", "-1", "1.5", '"x"', "9" * 4000, '"' + "x" * 3000 + '"'):
        text = f'{{"id": {identity}, "method": "mining.submit", "params": {json.dumps(wrong)}}}\n'
        yield Rubbish(f"id {identity[:10]} and a wrong nonce", text.encode())
    yield Rubbish("no id and a wrong nonce", _line(submit))
    yield Rubbish("no method", _line({"id": number, "params": good}), number)
    yield Rubbish("no params", _line({"id": number, "method": "mining.submit"}), number)
    yield Rubbish("an empty object", b"{}\n")
    methods: tuple[Any, ...] = (None, 5, [], {}, ["mining.submit"], "mining.submit\0", "", "\ud800", "__class__")
    for method in methods:
        what = f"method {json.dumps(method)}"
        yield Rubbish(what, _line({"id": number, "method": method, "params": good}), number)
    odd: tuple[Any, ...] = (None, {}, "x", [None], [{}], [[]], [1, 2, 3])
    for params in odd:
        what = f"mining.authorize with {json.dumps(params)}"
        yield Rubbish(what, _line({"id": -1, "method": "mining.authorize", "params": params}))
    # Lists would do for a second subscription, which may begin a session anew.
    for params in (None, {}, "x"):
        what = f"mining.subscribe with {json.dumps(params)}"
        yield Rubbish(what, _line({"id": -1, "method": "mining.subscribe", "params": params}))
    yield Rubbish(
        "a worker with half a character", _line({"id": -1, "method": "mining.authorize", "params": ["\ud800"]})
    )


def _wrong_lines(number: int, good: list[str]) -> Iterator[Rubbish]:
    request = {"id": number, "method": "mining.submit", "params": good}
    line = _line(request)
    yield Rubbish("a batch", _line([request]), number)
    yield Rubbish("an empty batch", b"[]\n")
    for scalar in (b"1", b"-1e999", b'"mining.submit"', b"null", b"true"):
        yield Rubbish(f"the line {scalar.decode()}", scalar + b"\n")
    yield Rubbish("an empty line", b"\n")
    yield Rubbish("a blank line", b" \t \r\n")
    yield Rubbish("half a line", line[: len(line) // 2] + b"\n", number)
    yield Rubbish("no JSON", b"GET / HTTP/1.1\r\nHost: pool\r\n\r\n")
    yield Rubbish("bytes that are no UTF-8", line.replace(good[0].encode(), good[0].encode() + b"\xff\xfe"), number)
    yield Rubbish("zero bytes", b"\0" * 100 + b"\n")
    yield Rubbish(f"{DEEP} brackets", b"[" * DEEP + b"\n")
    yield Rubbish(f"{DEEP} objects", b'{"a":' * DEEP + b"\n")
    yield Rubbish(f"{DEEP} brackets in params", line.replace(b'"params": ', b'"params": ' + b"[" * DEEP))
    long_name = {**request, "params": ["x" * LONG_LINE, *good[1:]]}
    yield Rubbish(f"a line of {LONG_LINE} bytes", _line(long_name), number)
    yield Rubbish(f"{NO_END} bytes without an end", b"x" * NO_END)


def _line(message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"
