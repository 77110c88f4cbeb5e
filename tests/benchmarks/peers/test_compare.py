"""A run of a client, its cost, and the rows that are made of it."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.peers.compare import Outcome, Setting, run
from benchmarks.peers.metering import Cost, metered
from benchmarks.peers.ours import OURS
from benchmarks.peers.peer import Peer
from benchmarks.peers.tables import accuracy_row, cost_row, print_table
from benchmarks.truth import Figures

BURN = "import time\nwhile time.process_time() < {}: pass"
LEAVE_A_CHILD = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', {!r}])"


def test_our_client_is_run_and_read(tmp_path: Path) -> None:
    outcome = run(OURS, Setting(3, 16, 1, waves=2), tmp_path)
    assert outcome.cost.status == 0
    assert outcome.said is not None
    assert outcome.said.tokens == outcome.true.tokens == 16
    assert outcome.tokens_served == 3 * 2 + 6 * 16  # a wave of two tokens comes before
    assert outcome.cost.cpu_s > 0


def test_a_client_that_fails_is_told_with_its_own_words(tmp_path: Path) -> None:
    lame = Peer("lame", None, lambda _, __: [sys.executable, "-c", "raise SystemExit('no such option')"], OURS.read)
    outcome = run(lame, Setting(1, 4, 1), tmp_path)
    assert outcome.said is None
    assert "status 1" in outcome.complaint
    assert "no such option" in outcome.complaint
    assert accuracy_row("lame", [outcome])["error %"] == "-"


def test_the_cost_counts_processes_that_were_left_behind(tmp_path: Path) -> None:
    alone = metered([sys.executable, "-c", "pass"], tmp_path, os.environ)
    child = LEAVE_A_CHILD.format(BURN.format(0.5))
    with_child = metered([sys.executable, "-c", child], tmp_path, os.environ)
    assert with_child.cpu_s >= alone.cpu_s * 0.5 + 0.5
    assert (alone.status, with_child.status) == (0, 0)


def outcome(tokens: int, cpu_s: float, wall_s: float, said: Figures | None = None) -> Outcome:
    true = Figures(ttft_s=0.1, decode_tok_s=100.0, itl_p99_s=0.01, tokens=256)
    return Outcome([], Cost(0, wall_s, cpu_s), said or Figures(), true, tokens, 0.0001)


def test_a_token_costs_what_a_longer_run_adds() -> None:
    paced = [outcome(1_000, 2.05, 9.0)], [outcome(11_000, 2.55, 9.0)]
    flood = [outcome(1_000, 2.0, 3.0)], [outcome(101_000, 2.5, 4.0)]
    row = cost_row("one", paced, flood)
    assert row == {
        "client": "one",
        "paced, us CPU a token": "50.0",
        "flood, us": "5.00",
        "flood, tok/s a core": "200,000",
        "fixed CPU s": "2.00",
        "by the clock": "100,000",
        "fixed wall s": "3.0",
    }


def test_no_cost_where_noise_hides_it_or_a_run_failed() -> None:
    shrunk = [outcome(1_000, 3.0, 3.0)], [outcome(11_000, 2.0, 2.0)]
    assert set(cost_row("one", shrunk, shrunk).values()) == {"one", "-"}
    failed = [replace(outcome(1_000, 2.0, 3.0), cost=Cost(1, 2.0, 3.0))], [outcome(11_000, 3.0, 4.0)]
    assert set(cost_row("one", failed, failed).values()) == {"one", "-"}


def test_errors_are_medians_over_the_rounds() -> None:
    outcomes = [outcome(0, 0, 0, Figures(ttft_s=ttft_s, tokens=256)) for ttft_s in (0.101, 0.105, 0.2)]
    row = accuracy_row("one", outcomes)
    assert (row["TTFT ms"], row["true"], row["error %"]) == ("105.0", "100.0", "+5.00")
    assert (row["tok/s"], row["off by %"], row["tokens off by %"]) == ("-", "-", "+0.00")


def test_columns_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("title", [{"client": "a long name", "n": "1"}, {"client": "b", "n": "1,000"}])
    assert capsys.readouterr().out.splitlines() == [
        "",
        "title",
        "  client           n",
        "  a long name      1",
        "  b            1,000",
    ]
