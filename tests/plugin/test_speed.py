"""Speed tests as a user runs them, against a server whose schedule is known."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from benchmarks.schedule_server import Server, serve
from benchmarks.truth import truth
from tests.nested import WITHOUT_OURS

ROOT = Path(__file__).parents[2]
SCHEDULE = ("ttft_ms=10", "interval_ms=2", "prefill_us=10")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(*SCHEDULE) as running:
        yield running


def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-pno:cacheprovider",
        *WITHOUT_OURS,
        f"--llm-out={folder / 'out'}",
        *args,
    ]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def rows(folder: Path) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = json.loads((folder / "out" / "report.json").read_text())["speed"]
    return found


def test_a_plain_run_does_not_measure_speed(tmp_path: Path) -> None:
    done = run(tmp_path, "--collect-only", "-q")
    assert "suites/zmq/test_zmq.py::test_clean_shutdown[reference]" in done.stdout
    assert "suites/speed" not in done.stdout
    assert "deselected" not in done.stdout


@pytest.mark.parametrize("asked", [["--llm-speed"], ["-m", "speed"], ["-k", "speed"], ["suites/speed"]])
def test_speed_is_there_when_asked_for(tmp_path: Path, server: Server, asked: list[str]) -> None:
    done = run(tmp_path, "--collect-only", "-q", f"--llm-endpoint=s={server.url}", *asked)
    assert "suites/speed/test_speed.py::test_single_stream[s]" in done.stdout
    assert "suites/speed/test_speed.py::test_depth[s-d2048-short]" in done.stdout


def test_the_figures_of_a_single_stream_are_those_of_the_schedule(tmp_path: Path, server: Server) -> None:
    done = run(tmp_path, "suites/speed", "-k", "single_stream", f"--llm-endpoint=s={server.url}")
    assert done.returncode == 0, done.stdout
    (row,) = rows(tmp_path)
    # Held against what the server did, which on a busy machine is less than its schedule.
    wrote = [truth(entry) for entry in server.log()[-3:]]
    assert row["decode_tok_s"]["median"] == pytest.approx(median(one.decode_tok_s or 0 for one in wrote), rel=0.05)
    assert row["completion_tokens"]["median"] == wrote[0].tokens == 256
    assert row["prompt_tokens"]["median"] == pytest.approx(512, rel=0.02)
    assert row["ttft_s"]["median"] >= median(one.ttft_s or 0 for one in wrote) >= 0.010
    assert (row["rounds"], row["requests"], row["failed"], row["transport"]) == (3, 3, 0, "recorder")


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_sweep_has_the_server_to_itself(tmp_path: Path, server: Server, workers: str) -> None:
    before = len(server.log())
    args = ("-k", "sweep or short", "--llm-sweep=1,3", f"--llm-endpoint=s={server.url}", workers)
    done = run(tmp_path, "suites/speed", *args)
    assert done.returncode == 0, done.stdout
    found = {(row["workload"], row["concurrency"]) for row in rows(tmp_path)}
    assert {("sweep", 1), ("sweep", 3), ("short", 1)} <= found
    assert most_at_once(server, before) == 3


def most_at_once(server: Server, since: int) -> int:
    """How many answers were under way at the same moment, by the server's own clock."""
    edges = sorted(edge for entry in server.log(since) for edge in ((entry.arrived_s, 1), (entry.writes[-1].at_s, -1)))
    under_way = most = 0
    for _, step in edges:
        under_way += step
        most = max(most, under_way)
    return most


@pytest.mark.parametrize(
    ("bar", "says"),
    [
        ("--llm-min-tok-s=5000", "decode_tok_s is * (median of 3 rounds); the bar is at least 5000"),
        ("--llm-max-ttft=0.001", "ttft_s is * (median of 3 rounds); the bar is at most 0.001"),
    ],
)
def test_a_bar_that_is_not_met_fails_with_figure_and_bound(tmp_path: Path, server: Server, bar: str, says: str) -> None:
    done = run(tmp_path, "suites/speed", "-k", "single_stream", f"--llm-endpoint=s={server.url}", bar)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    pytest.LineMatcher(done.stdout.splitlines()).fnmatch_lines([f"*{says}*"])
    assert len(rows(tmp_path)) == 1  # measured all the same


def test_slower_than_the_baseline_fails(tmp_path: Path, server: Server) -> None:
    fast, slow = tmp_path / "fast", tmp_path / "slow"
    assert run(fast, "suites/speed", "-k", "single_stream", f"--llm-endpoint=s={server.url}").returncode == 0
    baseline = f"--llm-baseline={fast / 'out' / 'report.json'}"
    with serve("ttft_ms=10", "interval_ms=1") as faster:
        better = run(
            tmp_path / "better", "suites/speed", "-k", "single_stream", f"--llm-endpoint=s={faster.url}", baseline
        )
    assert better.returncode == 0, better.stdout
    with serve("ttft_ms=10", "interval_ms=4") as slower:
        done = run(slow, "suites/speed", "-k", "single_stream", f"--llm-endpoint=s={slower.url}", baseline)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    pytest.LineMatcher(done.stdout.splitlines()).fnmatch_lines(["*tok/s of one stream: * of the baseline, 0.[45]*"])


def test_goodput_counts_the_requests_that_were_in_time(tmp_path: Path, server: Server) -> None:
    def share(folder: str, bounds: str) -> Mapping[str, Any]:
        args = ("-k", "single_stream", f"--llm-endpoint=s={server.url}", f"--llm-goodput={bounds}")
        done = run(tmp_path / folder, "suites/speed", *args)
        assert done.returncode == 0, done.stdout
        return rows(tmp_path / folder)[0]

    met, missed = share("met", "ttft:30,e2e:60"), share("missed", "ttft:30,tpot:0.001")
    assert (met["goodput_share"]["median"], missed["goodput_share"]["median"]) == (1, 0)
    assert (met["goodput_bounds"], missed["goodput_bounds"]) == ({"ttft": 30, "e2e": 60}, {"ttft": 30, "tpot": 0.001})


def test_a_looping_answer_is_marked(tmp_path: Path) -> None:
    with serve(*SCHEDULE, "text=loop") as looping:
        run(tmp_path, "suites/speed", "-k", "single_stream", f"--llm-endpoint=s={looping.url}")
    assert "degenerate" in rows(tmp_path)[0]["marks"]


def test_a_replay_has_no_speed(tmp_path: Path) -> None:
    done = run(tmp_path, "suites/speed", "-k", "single_stream", "-rs")
    assert done.returncode == 0
    assert "reference is a replay, which has no speed" in done.stdout


def test_a_dead_server_is_an_error_and_not_a_failure(tmp_path: Path) -> None:
    with serve(*SCHEDULE) as server:
        url = server.url
    done = run(tmp_path, "suites/speed", "-k", "single_stream", f"--llm-endpoint=s={url}#m")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 error" in done.stdout
    assert "infra_error" in done.stdout


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_each_server_of_two_on_one_gpu_is_started_once_for_answers_and_speed(tmp_path: Path, workers: str) -> None:
    words = shlex.join([sys.executable, "-m", "benchmarks.schedule_server", "--port", "{port}", *SCHEDULE])
    endpoints = [f"--llm-endpoint={name}=command:{words}" for name in ("a", "b")]
    chosen = "test_single_stream or test_clean_shutdown or test_race"
    done = run(tmp_path, "suites", "--llm-speed", "-k", chosen, "--llm-max-tokens=99", workers, *endpoints)
    told = [line for line in done.stdout.splitlines() if line.startswith("llmbench: ") and "starting" in line]
    assert [line.split(":")[1].strip() for line in told] == ["a", "b"], done.stdout
    assert [row["endpoint"] for row in rows(tmp_path)] == ["a", "b"]
    for row in rows(tmp_path):
        assert 0 < row["decode_tok_s"]["median"] <= 1.02 * 500
        assert (row["completion_tokens"]["median"], row["failed"]) == (256, 0)
