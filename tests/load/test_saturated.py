"""A server that has other things to do: nothing in the answers says so, but the figures must not look certain."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.schedule_server import serve
from pytest_llmbench import client
from pytest_llmbench.load.measure import Measurer
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.speed.workloads import Workload
from tests.load.others import others

SCHEDULE = ("ttft_ms=20", "interval_ms=10", "bound_tok_s=300")
ALONE_TOK_S = 100.0
CERTAIN = 0.1
"""Half of the interval of the mean, as a share of it: whoever reads a figure that is as close believes it."""
STREAM = Workload("stream", prompt_tokens=64, answer_tokens=32)


def measure(url: str, rounds: int = 3) -> SpeedRow:
    measurer = Measurer(Endpoint("s", url, "schedule"), "seed", None, client.Timeouts())
    return measurer.measure(replace(STREAM, rounds=rounds))


def is_certain(row: SpeedRow) -> bool:
    """Whether it has nothing that warns of its decode rate."""
    rate = row.decode_tok_s
    assert rate is not None
    assert rate.low is not None
    assert rate.high is not None
    return "unsettled" not in row.marks and rate.high - rate.low < 2 * CERTAIN * rate.mean


def test_without_other_load_the_figure_is_certain_and_right() -> None:
    with serve(*SCHEDULE) as server:
        row = measure(server.url)
    assert row.decode_tok_s is not None
    # The schedule is the most that the server gives; on a busy machine it is late.
    assert 0.6 * ALONE_TOK_S < row.decode_tok_s.median < 1.01 * ALONE_TOK_S


def test_load_that_comes_and_goes_shows_in_the_spread() -> None:
    with serve(*SCHEDULE) as server, others(server.url, "schedule", "bursts"):
        row = measure(server.url)
    assert row.decode_tok_s is not None
    assert row.decode_tok_s.min < 0.8 * ALONE_TOK_S, "the others had no effect, and the test tells nothing"
    assert not is_certain(row), row


def test_load_that_grows_never_settles() -> None:
    with serve(*SCHEDULE) as server, others(server.url, "schedule", "growing"):
        row = measure(server.url, rounds=1)
    assert "seconds of a request in 5 rounds of warm-up" in row.marks["unsettled"]
