"""Runs that are killed at random moments and gone on with, until they end; what is wanted holds after each session.

    python -m tests.plugin.killed_runs --kills 50 [--workers 2] [--seed 1]

Wanted: no answer that was whole is asked for again, none is lost, and the report is that of a run that was never killed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.client.scripted_server import Reply, Request, ScriptedServer, streamed
from tests.nested import WITHOUT_OURS
from tests.plugin.conftest import CHECKS, JUDGE, RIGHT, WRONG

SUITES = ("first", "second")
SAMPLES = 4
KILLS_OF_A_RUN = 3
"""Then it may end."""
_JUDGE = JUDGE.replace("calls.txt", os.devnull)

Asked = tuple[str, int]
"""The letter and the seed: what names an answer to the server."""


def write_suites(folder: Path) -> None:
    """Write the suites that are asked."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name in SUITES:
        suite = folder / "suites" / name
        (suite / "program").mkdir(parents=True)
        files = {
            "../__init__.py": "",
            "__init__.py": "",
            "suite.yaml": "title: Payouts\ndifficulty: easy\n",
            "prompt.md": f"The {name} payouts are off.\n\n{{{{program}}}}\n",
            "program/pay.py": "def pay():\n    return 0.1 + 0.2\n",
            "judge.py": _JUDGE,
            f"test_{name}.py": CHECKS,
        }
        for path, text in files.items():
            (suite / path).write_text(text)


def answer(request: Request) -> Reply:
    """Answer rightly or wrongly, by the seed, in a second."""
    return streamed(RIGHT if request.body["seed"] % 2 else WRONG, tokens_per_chunk=3, pause_s=0.1)


@dataclass(slots=True)
class KilledRuns:
    """Runs in one folder, all of the same command line."""

    folder: Path
    server: ScriptedServer
    workers: int
    draw: random.Random
    kills: int = 0
    stages: list[str] = field(default_factory=list)
    """How far each run had come when it was killed."""

    def whole_run(self) -> dict[str, Any]:
        """Return what a run finds that is not killed."""
        run = self._start(f"--llm-out={self.folder / 'whole'}")
        text, _ = run.communicate()
        return self._found(self.folder / "whole", run.returncode, text)

    def killed_run(self, kills: int, span_s: float) -> dict[str, Any]:
        """Return what a run finds that is killed so many times, at moments within such a span."""
        out = self.folder / f"killed-{self.kills}"
        for _ in range(kills):
            self._session(out, self.draw.uniform(0, span_s))
        code, text = self._session(out, None)
        return self._found(out, code, text)

    def _session(self, out: Path, kill_after_s: float | None) -> tuple[int, str]:
        whole, asked = self._whole(out), len(self.server.requests)
        run = self._start(f"--llm-{'resume' if (out / 'run.json').exists() else 'out'}={out}")
        try:
            text, _ = run.communicate(timeout=kill_after_s)
        except subprocess.TimeoutExpired:
            os.kill(run.pid, signal.SIGKILL)  # the controller alone; its workers find themselves orphaned
            text, _ = run.communicate()
            self.kills += 1
            self.stages.append(f"{len(self._whole(out))}/{len(SUITES) * SAMPLES}")
        again = whole & {_asked(request.body) for request in self.server.requests[asked:]}
        assert not again, f"asked for again: {again}"
        lost = whole - self._whole(out)
        assert not lost, f"lost: {lost}"
        return run.returncode, text

    def _start(self, where: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pytest", "suites", where, f"--llm-endpoint=new={self.server.url}"]
        command += [f"--llm-samples={SAMPLES}", "--llm-seed=3", "--llm-concurrency=2", f"-n{self.workers}"]
        command += ["-pno:cacheprovider", *WITHOUT_OURS]
        return subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @staticmethod
    def _whole(out: Path) -> set[Asked]:
        records = [json.loads(path.read_bytes()) for path in out.glob("completions/*/*.json")]
        return {_asked(record["request"]) for record in records if record["exchange"] is not None}

    @staticmethod
    def _found(out: Path, code: int, text: str) -> dict[str, Any]:
        assert (out / "report.json").exists(), text
        report = json.loads((out / "report.json").read_bytes())
        of_completion = ("endpoint", "suite", "sample", "finish_reason", "completion_tokens", "answer_sha256", "seed")
        of_check = ("nodeid", "outcome", "evidence", "log")
        return {
            "exit code": code,
            "completions": [{name: row[name] for name in of_completion} for row in report["completions"]],
            "checks": sorted(([row[name] for name in of_check] for row in report["checks"]), key=str),
            "scores": report["scores"],
            "fingerprints": [row["fingerprint"] for row in report["endpoints"]],
            "suites": report.get("suites"),
        }


def _asked(body: Any) -> Asked:
    return body["messages"][0]["content"], body["seed"]


def kill_runs(folder: Path, kills: int, workers: int, seed: int) -> Sequence[str]:
    """Kill runs so many times; return how far each had come.

    Raises:
        AssertionError: something that is wanted does not hold.
    """
    write_suites(folder)
    with ScriptedServer(answer) as server:
        runs = KilledRuns(folder, server, workers, random.Random(seed))  # noqa: S311 - repeatable on purpose
        began_s = time.monotonic()
        wanted = runs.whole_run()
        span_s = time.monotonic() - began_s
        assert len(wanted["completions"]) == len(SUITES) * SAMPLES
        while runs.kills < kills:
            found = runs.killed_run(min(KILLS_OF_A_RUN, kills - runs.kills), span_s)
            assert found == wanted
    return runs.stages


def main() -> None:
    """Kill as many runs as were asked for, and print how far each had come."""
    parser = argparse.ArgumentParser(prog="python -m tests.plugin.killed_runs")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--workers", type=int, default=0, help="of xdist; 0: none")
    parser.add_argument("--seed", type=int, default=1, help="what the moments are drawn from")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stages = kill_runs(Path(folder), given.kills, given.workers, given.seed)
    sys.stdout.write(f"{len(stages)} kills; answers that were whole: {' '.join(stages)}\n")


if __name__ == "__main__":
    main()
