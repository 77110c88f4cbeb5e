"""aiperf, as its project releases it.

Its percentiles of the inter-token latency are over the means of requests.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.peers.peer import Peer, Task
from benchmarks.truth import Figures


def _command(programs: Path, task: Task) -> list[str]:
    return [
        str(programs / "aiperf"),
        "profile",
        "--model=schedule",
        f"--url={task.server}",
        "--endpoint-type=chat",
        "--streaming",
        f"--tokenizer={task.tokenizer}",
        f"--concurrency={task.concurrency}",
        f"--request-count={task.requests}",
        "--isl=64",
        f"--osl={task.tokens}",
        "--use-server-token-count",
        "--no-gpu-telemetry",
        "--no-server-metrics",
        "--ui=none",
        f"--artifact-dir={task.folder}",
    ]


def _read(task: Task) -> Figures:
    found = json.loads((task.folder / "profile_export_aiperf.json").read_text())

    def figure(name: str, statistic: str) -> float | None:
        # It leaves out what it cannot compute: there is no rate where all tokens came at one time, as in a flood.
        value: float | None = found.get(name, {}).get(statistic)
        return value

    return Figures(
        ttft_s=_seconds(figure("time_to_first_token", "avg")),
        decode_tok_s=figure("output_token_throughput_per_user", "avg"),
        itl_p99_s=_seconds(figure("inter_token_latency", "p99")),
        tokens=figure("output_sequence_length", "avg"),
    )


def _seconds(ms: float | None) -> float | None:
    return None if ms is None else ms / 1e3


AIPERF = Peer("aiperf", "aiperf==0.13.0", _command, _read)
