"""What a token costs the client once its stream has ended: the same bytes, read by the fast ways and without them.

    python -m benchmarks.reading_cost [--tokens N] [--rounds N]

No server and no socket: what the schedule server would send is made in memory, cut into reads, and taken out of its chunk
coding, read and measured. `together` is the client as it is; `one by one` has both of its short cuts switched off: chunks
that are found by one split (`dechunk.MANY_BYTES`), plain events that are decoded together (`stream.MANY`). The two take
turns, and each ratio is that of one round, so that what else a machine does meets both.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from benchmarks.schedule_server.chunks import Asked
from benchmarks.schedule_server.plan import plan
from benchmarks.schedule_server.schedule import Schedule
from pytest_llmbench.client import stream
from pytest_llmbench.client.faults import Site
from pytest_llmbench.client.recorder import dechunk
from pytest_llmbench.speed.figures import stream_figures

FORMS: Mapping[str, Schedule] = {
    "usage in the end": Schedule(ttft_ms=0, interval_ms=0),
    "reasoning first": Schedule(ttft_ms=0, interval_ms=0, reasoning=10**9),
    "usage with each token": Schedule(ttft_ms=0, interval_ms=0, usage="continuous"),
}
READ_BYTES = {"a flood": 64 * 1024, "a few tokens a read": 1024, "a token a read": 0}
"""0: each chunk of the coding is a read of its own."""
STAGES = ("dechunk", "read", "figures", "all")


def reads_of(schedule: Schedule, tokens: int, read_bytes: int) -> Sequence[bytes]:
    """Return what the sockets would give."""
    asked = Asked("schedule", is_chat=True, is_streamed=True, max_tokens=tokens, prompt_tokens=5, cached_tokens=0, wants_usage=True)  # fmt: skip
    body = b"".join(write.data for write in plan(schedule, asked).writes)
    if read_bytes:
        return [body[start : start + read_bytes] for start in range(0, len(body), read_bytes)]
    return [each + b"\n\n\r\n" for each in body.split(b"\n\n\r\n")]


@contextmanager
def one_by_one() -> Iterator[None]:
    """Switch the short cuts off."""
    kept = dechunk.MANY_BYTES, stream.MANY
    dechunk.MANY_BYTES = stream.MANY = sys.maxsize
    try:
        yield
    finally:
        dechunk.MANY_BYTES, stream.MANY = kept


def cost_us(reads: Sequence[bytes], tokens: int) -> Sequence[float]:
    """Return microseconds of CPU a token, by stage."""
    dechunker = dechunk.Dechunker()
    gc.collect()  # so that what it costs is that of these objects, and the same both ways
    began_s = time.process_time()
    pieces = [(number / 1e3, data) for number, read in enumerate(reads) if (data := dechunker.feed(read))]
    decoded_s = time.process_time()
    exchange = stream.fold(stream.Recording(pieces, len(pieces) / 1e3), Site("http://127.0.0.1/v1/chat/completions"))
    read_s = time.process_time()
    stream_figures(exchange)
    ended_s = time.process_time()
    if exchange.usage.completion_tokens != tokens:
        raise RuntimeError(f"wanted {tokens} tokens, got {exchange.usage.completion_tokens}")
    spent_s = (decoded_s - began_s, read_s - decoded_s, ended_s - read_s, ended_s - began_s)
    return [each / tokens * 1e6 for each in spent_s]


def compare(reads: Sequence[bytes], tokens: int) -> tuple[Sequence[float], Sequence[float]]:
    """Return the costs of both ways, one right after the other."""
    together = cost_us(reads, tokens)
    with one_by_one():
        return together, cost_us(reads, tokens)


def main() -> None:
    """Print a line for each stage of each form."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading_cost", description="CPU per token, afterwards.")
    parser.add_argument("--tokens", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{'stream':22} {'reads':20} {'stage':8} | together us | one by one us | ratio")
    for form, schedule in FORMS.items():
        for size, read_bytes in READ_BYTES.items():
            reads = reads_of(schedule, arguments.tokens, read_bytes)
            rounds = [compare(reads, arguments.tokens) for _ in range(arguments.rounds)]
            for number, stage in enumerate(STAGES):
                fast, slow = ([each[way][number] for each in rounds] for way in (0, 1))
                ratio = statistics.median(one / other for one, other in zip(fast, slow, strict=True))
                print(f"{form:22} {size:20} {stage:8} | {min(fast):11.2f} | {min(slow):13.2f} | {ratio:5.2f}")


if __name__ == "__main__":
    main()
