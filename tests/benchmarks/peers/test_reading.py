"""What is read out of the peers' own files; the samples have the shape of what the pinned versions write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.__main__ import PEERS
from benchmarks.peers.aiperf import AIPERF
from benchmarks.peers.guidellm import GUIDELLM
from benchmarks.peers.llama_benchy import LLAMA_BENCHY
from benchmarks.peers.ours import OURS
from benchmarks.peers.peer import Peer, Task
from benchmarks.truth import Figures

GUIDELLM_REPORT = {
    "benchmarks": [
        {
            "metrics": {
                "time_to_first_token_ms": {"successful": {"mean": 120.0}},
                "inter_token_latency_ms": {"successful": {"mean": 10.0, "percentiles": {"p99": 11.0}}},
                "output_token_count": {"successful": {"mean": 256.0}},
            }
        }
    ]
}
AIPERF_REPORT = {
    "time_to_first_token": {"unit": "ms", "avg": 150.0},
    "output_token_throughput_per_user": {"unit": "tokens/sec/user", "avg": 99.5},
    "inter_token_latency": {"unit": "ms", "avg": 10.0, "p99": 10.5},
    "output_sequence_length": {"unit": "tokens", "avg": 256.0},
}
LLAMA_BENCHY_REPORT = {"benchmarks": [{"e2e_ttft": {"mean": 110.0}, "tg_req_throughput": {"mean": 100.5}}]}


def task(folder: Path) -> Task:
    return Task("http://127.0.0.1:9/v1", 4, 12, 256, folder / "words", folder)


@pytest.mark.parametrize(
    ("peer", "name", "report", "wanted"),
    [
        (GUIDELLM, "report.json", GUIDELLM_REPORT, Figures(0.12, None, 100.0, 0.011, 256.0)),
        (AIPERF, "profile_export_aiperf.json", AIPERF_REPORT, Figures(0.15, None, 99.5, 0.0105, 256.0)),
        (AIPERF, "profile_export_aiperf.json", {}, Figures()),
        (LLAMA_BENCHY, "report.json", LLAMA_BENCHY_REPORT, Figures(0.11, None, 100.5)),
        (OURS, "stdout", {"ttft_s": 0.1, "tokens": 256.0}, Figures(0.1, None, None, None, 256.0)),
    ],
    ids=lambda value: value.name if isinstance(value, Peer) else "",
)
def test_each_report(tmp_path: Path, peer: Peer, name: str, report: Any, wanted: Figures) -> None:
    (tmp_path / name).write_text(json.dumps(report))
    assert peer.read(task(tmp_path)) == wanted


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_without_a_report_there_is_an_error(tmp_path: Path, peer: Peer) -> None:
    with pytest.raises(OSError, match="No such file"):
        peer.read(task(tmp_path))


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_each_command_asks_for_what_the_task_says(tmp_path: Path, peer: Peer) -> None:
    command = " ".join(peer.command(Path("/programs"), task(tmp_path)))
    assert "127.0.0.1:9" in command
    assert "256" in command
    assert "12" in command or "--runs=3" in command


@pytest.mark.parametrize("peer", [peer for peer in PEERS if peer.requirement], ids=lambda peer: peer.name)
def test_each_peer_is_of_a_known_version(peer: Peer) -> None:
    assert peer.requirement is not None
    assert peer.requirement.startswith(f"{peer.name}==")
