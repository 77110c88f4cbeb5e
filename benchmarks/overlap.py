"""What `pytest suites` costs over the model's own time.

    python -m benchmarks.overlap [--interval-ms MS] [--slowest-first] [--workers N]

A server with a known schedule says the suites' reference answers, a token every few milliseconds, whoever asks. `pytest
suites` does its work with one answer for each suite, and with five. Meanwhile curl asks a second such server for the five
answers one after the other: the sequential baseline, which costs neither of them any time, as a schedule is kept whatever
else is asked.

What the model needs by itself is known from the server's log: the time of each answer, from the arrival of its request to
the last write, dealt out in the order of the requests to as many places as `pytest suites` may use at once; the latest end
is the chain. Grading that cannot overlap is what is left of it at that moment, if graders take up each answer as it comes, one
at a time, for as long as the report says that its checks took: that of the last answer, and of others that came shortly before.
All else is overhead: pytest's start, places that stay empty, grading that waits for something, the report.

    wall time of `pytest suites` / (chain + grading that is left then) <= 1.05

Beside it stands the ratio that would count the grading of the last answer only, which answers that come close together at the
end can make impossible to reach.
"""

from __future__ import annotations

import argparse
import heapq
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.schedule_server import Entry, Server, serve
from benchmarks.schedule_server.wording import split

BOUND = 1.05
SAMPLES = (1, 5)
PLACES = 8
"""Requests in flight; what `--llm-concurrency` is by default."""
INTERVAL_MS = 10.0
TTFT_MS = 500.0
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Graded:
    """One answer of a run; times in seconds since the first request of the run."""

    suite: str
    sample: int
    came_s: float
    grading_s: float
    """All checks of it, one after the other."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run of `pytest suites`."""

    samples: int
    workers: int
    """0: no xdist."""
    wall_s: float
    chain_s: float
    """What the model needs by itself."""
    start_s: float
    """From pytest's start to the first request."""
    span_s: float
    """From the first request to the end of the last answer."""
    graded: tuple[Graded, ...]

    @property
    def last(self) -> Graded:
        """The answer that came last."""
        return max(self.graded, key=lambda one: one.came_s)

    @property
    def least_s(self) -> float:
        """What cannot be saved: the model's time, and the grading that is left at the end of it."""
        return self.chain_s + self.left_s

    @property
    def ratio(self) -> float:
        """Wall time over what cannot be saved."""
        return self.wall_s / self.least_s

    @property
    def left_s(self) -> float:
        """Grading that is left when the last answer has come, to graders who take up each one as it comes."""
        free_s = [0.0] * max(1, self.workers)
        for one in sorted(self.graded, key=lambda one: one.came_s):
            heapq.heapreplace(free_s, max(free_s[0], one.came_s) + one.grading_s)
        return max(free_s) - self.last.came_s

    @property
    def after_s(self) -> float:
        """From the end of the last answer to pytest's exit."""
        return self.wall_s - self.start_s - self.span_s

    def lines(self, sequential_s: float) -> str:
        """Return what is printed of it; the baseline is of one sample."""
        how = f"-n {self.workers}" if self.workers else "one process"
        word = "ok" if self.ratio <= BOUND else "OVER"
        baseline_s = sequential_s * self.samples
        last = self.last
        return (
            f"{self.samples} of each, {how}: {self.wall_s:.2f} s; model {self.chain_s:.2f} s"
            f" + grading left then {self.left_s:.2f} s = {self.least_s:.2f} s: ratio {self.ratio:.3f} (bound {BOUND:g}) {word}\n"
            f"    with the grading of the last answer ({last.suite}) only, {last.grading_s:.2f} s:"
            f" {self.wall_s / (self.chain_s + last.grading_s):.3f}; all grading {sum(one.grading_s for one in self.graded):.2f} s\n"
            f"    {self.start_s:.2f} s before the first request, {self.span_s - self.chain_s:.2f} s of empty places,"
            f" {self.after_s:.2f} s after the last answer\n"
            f"    one after the other by curl, ungraded: {baseline_s:.2f} s, {baseline_s / self.wall_s:.2f} times as long"
        )


def chain_s(durations_s: Sequence[float], places: int) -> float:
    """Return when the last of these answers ends if each begins, in order, as soon as one of the places is free."""
    free_s = [0.0] * places
    for duration_s in durations_s:
        heapq.heapreplace(free_s, free_s[0] + duration_s)
    return max(free_s)


def prompts(folder: Path) -> dict[str, str]:
    """Let the product write the suites' prompts; return them by suite, in the order of its tests."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "suites",
        f"--llm-export-prompts={folder}",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
    return {path.stem: path.read_text("utf-8") for path in sorted(folder.glob("*.md"))}


def replies(asked: Mapping[str, str], *, interval_ms: float, slowest_first: bool) -> dict[str, dict[str, Any]]:
    """Return what the server shall say to each prompt, and how fast.

    Args:
        asked: prompts by suite.
        interval_ms: between tokens.
        slowest_first: the answer that is asked for first takes a fifth longer than any other.
    """
    first = next(iter(asked))
    found: dict[str, dict[str, Any]] = {}
    for suite, text in asked.items():
        answer = (_ROOT / "suites" / suite / "answers" / "reference.md").read_text("utf-8")
        found[text] = {"answer": answer, "interval_ms": interval_ms}
    if slowest_first:
        tokens = {text: len(split(options["answer"])) for text, options in found.items()}
        found[asked[first]]["interval_ms"] = 1.2 * interval_ms * max(tokens.values()) / tokens[asked[first]]
    return found


def one_after_the_other_s(url: str, asked: Mapping[str, str], folder: Path) -> float:
    """Return the seconds that curl needs for all answers."""
    began_s = time.monotonic()
    for suite, text in asked.items():
        messages = [{"role": "user", "content": text}]
        body = folder / f"{suite}.json"
        body.write_text(json.dumps({"model": "schedule", "messages": messages, "stream": True, "max_tokens": 16_384}))
        command = ["curl", "--silent", "--show-error", "--fail", "--no-buffer", "--noproxy", "*", "--output", "-"]
        command += ["--header", "content-type: application/json", "--data-binary", f"@{body}"]
        done = subprocess.run([*command, f"{url}/chat/completions"], check=True, capture_output=True)
        if not done.stdout.rstrip().endswith(b"data: [DONE]"):
            raise RuntimeError(f"curl got no whole answer for {suite}: {done.stdout[-200:]!r}")
    return time.monotonic() - began_s


def run_suites(server: Server, folder: Path, samples: int, workers: int) -> Result:
    """Run `pytest suites` as a user does.

    Raises:
        RuntimeError: not all checks passed, and what was measured is something else.
    """
    before = len(server.log())
    command = [sys.executable, "-m", "pytest", "suites", f"--llm-endpoint=s={server.url}", f"--llm-out={folder}"]
    command += [f"--llm-samples={samples}", f"--llm-concurrency={PLACES}", "-p", "no:cacheprovider", "-q"]
    command += ["-n", str(workers)] if workers else []
    began_s = time.monotonic()
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=False)
    wall_s = time.monotonic() - began_s
    if done.returncode:
        raise RuntimeError(f"the reference answers did not pass:\n{done.stdout[-4000:]}")
    entries = sorted(server.log(before), key=lambda entry: entry.arrived_s)
    first_s, last_s = entries[0].arrived_s, max(entry.writes[-1].at_s for entry in entries)
    model_s = chain_s([_took_s(entry) for entry in entries], PLACES)
    return Result(samples, workers, wall_s, model_s, first_s - began_s, last_s - first_s, _graded(folder))


def _took_s(entry: Entry) -> float:
    return entry.writes[-1].at_s - entry.arrived_s


def _graded(folder: Path) -> tuple[Graded, ...]:
    report = json.loads((folder / "report.json").read_bytes())
    grading_s: dict[tuple[str, int], float] = {}
    for check in report["checks"]:
        key = check["suite"], check["sample"]
        grading_s[key] = grading_s.get(key, 0.0) + check["duration_s"]
    came_s = {}
    for path in folder.glob("completions/*/*.json"):
        answer = json.loads(path.read_bytes())
        sent_s = datetime.fromisoformat(answer["started_at"]).timestamp()
        came_s[answer["suite"], answer["sample"]] = (sent_s, sent_s + answer["exchange"]["timing"]["e2e_s"])
    first_s = min(sent_s for sent_s, _ in came_s.values())
    return tuple(Graded(*key, came_s[key][1] - first_s, seconds) for key, seconds in grading_s.items())


def main() -> None:
    """Print the figures; the exit status is 1 if one is beyond its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overlap", description="pytest suites and the model.")
    parser.add_argument("--interval-ms", type=float, default=INTERVAL_MS, help="between tokens (default: 10)")
    parser.add_argument(
        "--slowest-first", action="store_true", help="the answer that is asked for first is the last one to come"
    )
    parser.add_argument("--workers", type=int, default=0, help="processes of xdist (default: 0, none)")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="overlap-")))
        asked = prompts(folder / "prompts")
        known = replies(asked, interval_ms=arguments.interval_ms, slowest_first=arguments.slowest_first)
        (folder / "replies.json").write_text(json.dumps(known))
        options = f"ttft_ms={TTFT_MS}", f"--replies={folder / 'replies.json'}"
        server, other = (stack.enter_context(serve(*options)) for _ in range(2))
        baseline = stack.enter_context(ThreadPoolExecutor()).submit(one_after_the_other_s, other.url, asked, folder)
        results = [run_suites(server, folder / f"run-{samples}", samples, arguments.workers) for samples in SAMPLES]
        for result in results:
            print(result.lines(baseline.result()))
    sys.exit(any(result.ratio > BOUND for result in results))


if __name__ == "__main__":
    main()
