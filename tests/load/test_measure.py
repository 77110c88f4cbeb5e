"""Warm-up, rounds and rows, held against what a server with a known schedule says that it was asked."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise

import pytest

from benchmarks.schedule_server import Entry, Server, serve
from pytest_llmbench import client
from pytest_llmbench.client.limits import MAX_LAG_STAMPED_S
from pytest_llmbench.errors import ContextTooSmallError, EndpointError
from pytest_llmbench.load.asking import seed_of
from pytest_llmbench.load.measure import WARM_UP_ROUNDS, Measurer
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.speed import SpeedRow, Spread
from pytest_llmbench.speed.arrivals import poisson_s
from pytest_llmbench.speed.goodput import Bounds
from pytest_llmbench.speed.workloads import CACHED_PREFIX, OPEN_LOOP, Workload

SCHEDULE = ("ttft_ms=20", "interval_ms=2", "prefix_cache=1")
STREAM = Workload("stream", prompt_tokens=100, answer_tokens=40)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(*SCHEDULE) as running:
        yield running


def measurer(url: str, bounds: Bounds | None = None, context_tokens: int | None = None, seed: str = "seed") -> Measurer:
    endpoint = Endpoint("s", url, "schedule", context_tokens=context_tokens)
    return Measurer(endpoint, seed, None, client.Timeouts(), bounds)


def measured(entries: Sequence[Entry], workload: Workload) -> list[Entry]:
    """Return the requests that are no probes, warm-up included."""
    return [entry for entry in entries if entry.completion_tokens == workload.answer_tokens]


def known(figure: Spread | None) -> Spread:
    assert figure is not None
    return figure


def most_at_once(entries: Sequence[Entry]) -> int:
    edges = sorted(edge for entry in entries for edge in ((entry.arrived_s, 1), (entry.writes[-1].at_s, -1)))
    under_way = most = 0
    for _, step in edges:
        under_way += step
        most = max(most, under_way)
    return most


def test_rounds_come_after_a_warm_up_of_the_same_kind(server: Server) -> None:
    before = len(server.log())
    workload = replace(STREAM, concurrency=2, requests=4, rounds=2)
    row = measurer(server.url, seed="warm-up").measure(workload)
    asked = measured(server.log(before), workload)
    warm_up_rounds = len(asked) / workload.requests - workload.rounds
    assert warm_up_rounds in range(2, WARM_UP_ROUNDS + 1)
    assert (row.rounds, row.requests, row.failed, row.concurrency) == (2, 8, 0, 2)
    assert most_at_once(asked) == 2
    assert (known(row.completion_tokens).median, known(row.ttft_s).rounds) == (40, 2)
    assert known(row.decode_tok_s).max <= 1.01 * 500  # the schedule is the most that the server gives


def test_no_prompt_of_a_measurer_is_in_a_cache_but_on_purpose(server: Server) -> None:
    one = measurer(server.url, seed="cache")
    rows = [one.measure(STREAM), one.measure(STREAM)]
    assert [known(row.cached_tokens).max for row in rows] == [0, 0]
    assert all("cached" not in row.marks for row in rows)
    shared = one.measure(replace(CACHED_PREFIX, depth_tokens=500, answer_tokens=40))
    assert known(shared.cached_tokens).min == pytest.approx(500, rel=0.05)
    assert "cached" not in shared.marks


def test_prompts_that_were_asked_before_are_marked_as_cached(server: Server) -> None:
    rows = [measurer(server.url, seed="twice").measure(STREAM) for _ in range(2)]
    assert ["cached" in row.marks for row in rows] == [False, True]


def test_a_second_workload_needs_no_second_preparation(server: Server) -> None:
    one = measurer(server.url, seed="second")
    one.measure(STREAM)
    before = len(server.log())
    one.measure(STREAM)
    entries = server.log(before)
    assert measured(entries, STREAM) == entries


def test_a_sweep_stops_when_throughput_has_fallen_twice() -> None:
    # Two bring 100 tok/s, three 75, four 57.
    with serve("ttft_ms=0", "interval_ms=10", "thrash_us=10000") as thrashing:
        rows = measurer(thrashing.url).sweep(replace(STREAM, answer_tokens=16, rounds=1), (2, 3, 4, 5, 6))
        assert most_at_once(thrashing.log()) == 4
    assert [(row.concurrency, row.requests) for row in rows] == [(2, 4), (3, 6), (4, 8)]
    throughputs = [known(row.throughput_tok_s).median for row in rows]
    assert all(later < earlier for earlier, later in pairwise(throughputs))


def test_a_sweep_goes_to_the_end_where_throughput_does_not_fall(server: Server) -> None:
    before = len(server.log())
    rows = measurer(server.url).sweep(replace(STREAM, rounds=1), (1, 2))
    assert [row.concurrency for row in rows] == [1, 2]
    assert most_at_once(server.log(before)) == 2


def test_arrivals_keep_their_times_whatever_the_server_does() -> None:
    workload = replace(OPEN_LOOP, rate_s=50.0, requests=10, answer_tokens=20, rounds=1)
    with serve("ttft_ms=400", "interval_ms=1") as slow:
        row = measurer(slow.url).measure(workload)
        asked = measured(slow.log(), workload)[-workload.requests :]
    began_s = min(entry.arrived_s for entry in asked)
    due_s = poisson_s(50.0, 10, seed_of("seed/open-loop/None/round-0"))
    # None comes before its time, by the first one's; how much later is the machine's affair.
    for arrived_s, due in zip(sorted(entry.arrived_s - began_s for entry in asked), due_s, strict=True):
        assert arrived_s >= due - due_s[0] - 0.05
    assert most_at_once(asked) > 4, "they waited for each other"
    assert (row.concurrency, row.requests) == (None, 10)


def test_prefill_is_read_off_several_lengths() -> None:
    workload = replace(STREAM, prompt_tokens=800, lengths_tokens=(200, 400, 800), requests=3, answer_tokens=4)
    with serve("ttft_ms=20", "interval_ms=1", "prefill_us=500") as reading:
        row = measurer(reading.url).measure(workload)
    assert known(row.prefill_tok_s).median == pytest.approx(2000, rel=0.1)
    assert row.target_prompt_tokens is None


def test_goodput_is_judged_by_the_bounds_of_the_run(server: Server) -> None:
    def share(bounds: Bounds | None) -> SpeedRow:
        return measurer(server.url, bounds, seed=str(bounds)).measure(replace(STREAM, rounds=1))

    assert known(share(Bounds(max_ttft_s=30.0)).goodput_share).median == 1
    assert known(share(Bounds(max_ttft_s=0.01)).goodput_share).median == 0
    assert share(None).unknown["goodput_share"] == "no bounds were set (--llm-goodput)"


@contextmanager
def held_up() -> Iterator[None]:
    """Have another thread of this process work, and give way only after twice the lag that is allowed."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            pass

    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(2 * MAX_LAG_STAMPED_S)
    working = threading.Thread(target=work, daemon=True)
    working.start()
    try:
        yield
    finally:
        over.set()
        working.join()
        sys.setswitchinterval(usual_s)


def test_a_client_that_cannot_keep_up_is_told(server: Server) -> None:
    # Not by a flood: on a machine with other work its server can be the slower one of the two, and then nothing is to tell.
    with held_up():
        row = measurer(server.url, seed="held up").measure(replace(STREAM, answer_tokens=8, rounds=1))
    assert "1 of 1 rounds: the client may have set the limit" in row.marks["client-limited"]
    assert "ms late at p99" in row.marks["client-limited"]


def test_a_server_that_goes_round_in_circles_is_marked() -> None:
    with serve(*SCHEDULE, "text=loop") as looping:
        row = measurer(looping.url).measure(replace(STREAM, rounds=1))
    assert "of the text is loops, such as" in row.marks["degenerate"]


def test_what_the_server_refuses_as_too_long_is_told_and_longer_ones_are_not_asked() -> None:
    with serve(*SCHEDULE, "context_tokens=600") as small:
        one = measurer(small.url)
        assert one.measure(STREAM).failed == 0
        with pytest.raises(ContextTooSmallError, match=r"available context size \(600 tokens\)"):
            one.measure(replace(STREAM, depth_tokens=1000))
        asked = len(small.log())
        with pytest.raises(ContextTooSmallError, match="not asked, as fewer tokens were too many before: http"):
            one.measure(replace(STREAM, depth_tokens=2000))
        assert len(small.log()) == asked
        assert one.measure(replace(STREAM, depth_tokens=200)).failed == 0


def test_what_the_known_context_does_not_hold_is_not_asked(server: Server) -> None:
    before = len(server.log())
    one = measurer(server.url, context_tokens=600)
    with pytest.raises(ContextTooSmallError, match="have 640 tokens, the server's context holds 600"):
        one.measure(replace(STREAM, depth_tokens=500))
    assert len(server.log()) == before
    assert one.measure(replace(STREAM, depth_tokens=460)).failed == 0


def test_a_server_that_is_overloaded_is_not_asked_in_plainer_ways() -> None:
    asked: list[bytes] = []

    class Overloaded(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_error(503)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Overloaded) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(EndpointError, match="HTTP 503"):
            measurer(f"http://127.0.0.1:{server.server_port}/v1").measure(STREAM)
        server.shutdown()
    assert len(asked) == 1


def test_a_server_that_is_not_there_is_an_error() -> None:
    with serve(*SCHEDULE) as gone:
        one = measurer(gone.url)
    with pytest.raises(EndpointError, match="cannot connect"):
        one.measure(STREAM)
