"""The command against a real server; the machine of a test run is no place for the bounds of a quiet one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.accuracy import BOUNDS, CASES, Case, compare, row
from benchmarks.ours import measure
from benchmarks.schedule_server import serve
from benchmarks.truth import truth


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("tokens_per_chunk=3", "token_ids=1"),
        ("usage=continuous", "tokens_per_chunk=3"),
        ("usage=finish",),
        ("role=early",),
        ("ping_ms=3",),
        ("reasoning=8", "reasoning_field=both"),
    ],
)
def test_every_answer_is_found_in_the_log_with_all_its_tokens(options: tuple[str, ...]) -> None:
    result = compare(Case("any", 3, (*options, "ttft_ms=30", "interval_ms=2"), tokens=24), rounds=2)
    assert len(result.pairs) == 6
    assert {figures.tokens for _, figures in result.pairs} == {24}
    assert all(truth(entry).tokens == 24 for entry, _ in result.pairs)
    # Nothing can be seen before it was sent; how much later is the machine's affair.
    assert all((figures.ttft_s or 0.0) >= (truth(entry).ttft_s or 0.0) - 1e-3 for entry, figures in result.pairs)


def test_what_the_client_cannot_know_is_no_error() -> None:
    result = compare(Case("missing", 2, ("usage=none", "ttft_ms=10", "interval_ms=1"), tokens=8), rounds=1)
    assert result.said.tokens is None
    assert result.errors["tokens"] is None
    assert "0 of 2" not in row(result)


def test_reasoning_only_has_no_answer() -> None:
    result = compare(Case("only", 2, ("reasoning=99", "ttft_ms=10", "interval_ms=1"), tokens=8), rounds=1)
    assert (result.said.ttft_answer_s, result.true.ttft_answer_s) == (None, None)
    assert result.said.tokens == 8


def test_a_figure_beyond_its_bound_is_marked() -> None:
    result = compare(Case("any", 1, ("ttft_ms=10", "interval_ms=1"), tokens=8), rounds=1)
    off = replace(result, errors=dict.fromkeys(BOUNDS, 0.0) | {"ttft_s": 2 * BOUNDS["ttft_s"]})
    assert not off.is_within
    assert "+1.00!" in row(off)
    assert replace(off, errors=dict.fromkeys(BOUNDS, 0.0)).is_within


def test_no_more_than_so_many_are_in_flight() -> None:
    with serve("ttft_ms=20", "interval_ms=1") as server:
        measure(server.url, concurrency=2, requests=6, tokens=10)
        entries = [entry for entry in server.log() if entry.user and entry.user.startswith("ask-")]
    assert len(entries) == 6
    for entry in entries:
        others = [one for one in entries if one.arrived_s < entry.arrived_s < one.tokens[-1].at_s]
        assert len(others) <= 1


def test_the_cases_are_told_apart() -> None:
    assert len({(case.name, case.concurrency) for case in CASES}) == len(CASES)
