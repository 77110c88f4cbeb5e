"""guidellm, as its project releases it.

It names no decode rate of a stream: that is taken as 1 / its mean inter-token latency. Its percentiles of that latency are
over the means of requests.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.peers.peer import Peer, Task
from benchmarks.truth import Figures


def _command(programs: Path, task: Task) -> list[str]:
    return [
        str(programs / "guidellm"),
        "run",
        f"--backend=kind=openai_http,target={task.url},model=schedule",
        f"--profile=kind=concurrent,streams={task.concurrency}",
        f"--constraint=kind=max_requests,count={task.requests}",
        f"--tokenizer=kind=hf_auto,model={task.tokenizer}",
        f"--data=kind=synthetic_text,prompt_tokens=64,output_tokens={task.tokens}",
        f"--output=kind=json,path={task.folder / 'report.json'}",
        "--disable-console",
    ]


def _read(task: Task) -> Figures:
    metrics = json.loads((task.folder / "report.json").read_text())["benchmarks"][0]["metrics"]
    latency_ms = metrics["inter_token_latency_ms"]["successful"]
    return Figures(
        ttft_s=metrics["time_to_first_token_ms"]["successful"]["mean"] / 1e3,
        decode_tok_s=1e3 / latency_ms["mean"] if latency_ms["mean"] else None,
        itl_p99_s=latency_ms["percentiles"]["p99"] / 1e3,
        tokens=metrics["output_token_count"]["successful"]["mean"],
    )


GUIDELLM = Peer("guidellm", "guidellm==0.8.1", _command, _read)
