"""How true this project's client is: its figures against the log of a server with a known schedule.

    python -m benchmarks.accuracy [--rounds N] [--only TEXT]

Each row is one schedule, asked C times at once. `server` is what its log says, from the arrival of each request; beside it
stands the client's error in per cent, as mean over all requests (TTFT also for the one that is furthest off). A figure that
the client gives as unknown is a dash. `late` is by how much the server missed its own schedule: the errors do not contain it,
but a busy machine shows in it. A figure beyond its bound is marked with `!`, and the exit status is then 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.ours import measure
from benchmarks.schedule_server import Entry, serve
from benchmarks.truth import Figures, mean, rank, truth

BOUNDS = {"ttft_s": 0.5, "ttft_answer_s": 0.5, "decode_tok_s": 0.1, "itl_p99_s": 5.0, "tokens": 0.0}
"""Per cent."""


@dataclass(frozen=True, slots=True)
class Case:
    """One row: a schedule and how often it is asked at once."""

    name: str
    concurrency: int
    options: tuple[str, ...] = ()
    tokens: int = 256


CASES = (
    Case("10 ms a token", 1),
    Case("10 ms a token", 8),
    Case("10 ms a token", 32),
    Case("10 ms a token", 64),
    Case("5 ms a token", 64, ("interval_ms=5",)),
    Case("3 tokens a chunk", 8, ("tokens_per_chunk=3",)),
    Case("3 a chunk, token ids", 8, ("tokens_per_chunk=3", "token_ids=1")),
    Case("3 a chunk, continuous usage", 8, ("tokens_per_chunk=3", "usage=continuous")),
    Case("usage on the finish chunk", 8, ("usage=finish",)),
    Case("usage missing", 8, ("usage=none",)),
    Case("usage missing, token ids", 8, ("usage=none", "token_ids=1")),
    Case("reasoning first", 8, ("reasoning=128",)),
    Case("reasoning in both fields", 8, ("reasoning=128", "reasoning_field=both")),
    Case("reasoning only", 8, ("reasoning=256", "reasoning_field=reasoning")),
    Case("role chunk early", 8, ("role=early",)),
    Case("pings every 30 ms", 8, ("ping_ms=30", "ttft_ms=500")),
    Case("a stall of 500 ms", 8, ("stall_ms=500", "stall_at=100")),
    Case("tool call", 8, ("tool_call=1",)),
)

HEADER = (
    f"{'schedule':28} {'C':>3} | {'TTFT ms':>9} {'error %':>8} {'worst %':>8} | {'answer %':>8} | {'tok/s':>8} {'error %':>8}"
    f" | {'ITL p99':>9} {'error %':>8} | {'tokens':>9} | {'late ms':>7}"
)


@dataclass(frozen=True, slots=True)
class Result:
    """One case, measured."""

    case: Case
    pairs: Sequence[tuple[Entry, Figures]]
    """What the server logged and what the client says, of each request."""
    true: Figures
    """Means."""
    said: Figures
    errors: Mapping[str, float | None]
    """Of the means, in per cent; None where the client says that it does not know."""

    @property
    def is_within(self) -> bool:
        """Whether every error is within its bound."""
        return all(error is None or abs(error) <= BOUNDS[name] for name, error in self.errors.items())


def compare(case: Case, rounds: int) -> Result:
    """Measure one case, with so many requests for each of its users."""
    # A real server that was held up does not catch up by sending several tokens at once.
    with serve("catch_up=0", *case.options) as server:
        requests = case.concurrency * rounds
        asked = measure(server.url, concurrency=case.concurrency, requests=requests, tokens=case.tokens)
        entries = {entry.user: entry for entry in server.log()}
    pairs = [(entries[one.user], one.figures) for one in asked]
    true, said = mean([truth(entry) for entry, _ in pairs]), mean([figures for _, figures in pairs])
    errors = {name: _error(getattr(true, name), getattr(said, name)) for name in BOUNDS}
    return Result(case, pairs, true, said, errors)


def row(result: Result) -> str:
    """Return the line of the table."""
    shown = {name: _shown(name, error) for name, error in result.errors.items()}
    worst = max(abs(_error(truth(entry).ttft_s, figures.ttft_s) or 0.0) for entry, figures in result.pairs)
    true = result.true
    return (
        f"{result.case.name:28} {result.case.concurrency:3}"
        f" | {_ms(true.ttft_s)} {shown['ttft_s']} {worst:8.2f} | {shown['ttft_answer_s']}"
        f" | {true.decode_tok_s or 0:8.2f} {shown['decode_tok_s']} | {_ms(true.itl_p99_s)} {shown['itl_p99_s']}"
        f" | {_count(result.pairs):>9} | {_late_ms([entry for entry, _ in result.pairs]):7.2f}"
    )


def _error(true: float | None, said: float | None) -> float | None:
    """Return by how many per cent it is off; None where the client says that it does not know."""
    if said is None:
        return None
    return 100 * (said / true - 1) if true else float("inf")


def _shown(name: str, error: float | None) -> str:
    return f"{'-':>8}" if error is None else f"{error:+7.2f}{' ' if abs(error) <= BOUNDS[name] else '!'}"


def _ms(seconds: float | None) -> str:
    return f"{'-':>9}" if seconds is None else f"{1e3 * seconds:9.2f}"


def _count(pairs: Sequence[tuple[Entry, Figures]]) -> str:
    known = [(entry.completion_tokens, figures.tokens) for entry, figures in pairs if figures.tokens is not None]
    return f"{sum(true == said for true, said in known)} of {len(pairs)}" if known else "-"


def _late_ms(entries: Sequence[Entry]) -> float:
    return 1e3 * (rank([late for entry in entries for late in entry.lateness_s], 0.99) or 0.0)


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description="Client against known schedule.")
    parser.add_argument("--rounds", type=int, default=1, help="requests for each of the C users")
    parser.add_argument("--only", default="", metavar="TEXT", help="schedules whose name holds this")
    arguments = parser.parse_args()
    print(HEADER)
    wrong = False
    for case in CASES:
        if arguments.only in case.name:
            result = compare(case, arguments.rounds)
            wrong |= not result.is_within
            print(row(result), flush=True)
    sys.exit(wrong)


if __name__ == "__main__":
    main()
