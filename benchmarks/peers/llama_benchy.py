"""llama-benchy, as its project releases it.

It names neither an inter-token latency nor how many tokens came.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.peers.peer import Peer, Task
from benchmarks.truth import Figures


def _command(programs: Path, task: Task) -> list[str]:
    return [
        str(programs / "llama-benchy"),
        f"--base-url={task.url}",
        "--model=schedule",
        f"--tokenizer={task.tokenizer}",
        f"--book-url={task.server}/book",
        "--pp=64",
        f"--tg={task.tokens}",
        f"--runs={task.requests // task.concurrency}",
        f"--concurrency={task.concurrency}",
        "--skip-coherence",
        f"--save-result={task.folder / 'report.json'}",
        "--format=json",
    ]


def _read(task: Task) -> Figures:
    found = json.loads((task.folder / "report.json").read_text())["benchmarks"][0]
    return Figures(ttft_s=found["e2e_ttft"]["mean"] / 1e3, decode_tok_s=found["tg_req_throughput"]["mean"])


LLAMA_BENCHY = Peer("llama-benchy", "llama-benchy==0.4.0", _command, _read)
