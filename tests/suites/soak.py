"""Repeats the whole matrix and prints the cells that ever differed.

python -m tests.suites.soak --runs 20 [--busy]
"""

# ruff: noqa: T201 - its output is what it is for

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .corpus import checks_of, read_corpus, suite_folders
from .matrix import WORKERS, Cell, as_table, run_matrix


def main() -> int:
    """Return 0 if no cell of any run differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--busy", action="store_true", help="keep every core busy all the while")
    parser.add_argument("--suite", action="append", help="only this one; may be given more than once")
    parser.add_argument("--check", help="only this one, of suites that have it")
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes that judge side by side")
    args = parser.parse_args()
    differed: Counter[str] = Counter()
    cells: tuple[Cell, ...] = ()
    with _busy_cores(os.cpu_count() or 1 if args.busy else 0):
        for run in range(1, args.runs + 1):
            began_s = time.monotonic()
            cells = _run_all(args.suite, args.check, args.workers)
            wrong = [cell for cell in cells if cell.differs]
            differed.update(f"{cell.answer} {cell.check}: {cell.seen}, not {cell.wanted}" for cell in wrong)
            print(f"run {run}: {len(cells)} cells, {len(wrong)} differ, {time.monotonic() - began_s:.0f} s", flush=True)
            for cell in wrong:
                print(f"  {cell.answer} {cell.check}: {cell.seen}, not {cell.wanted}: {cell.evidence}", flush=True)
    for folder in suite_folders():
        if of_suite := [cell for cell in cells if cell.suite == folder.name]:
            print(as_table(of_suite))
    gaming = [cell for cell in cells if cell.answer.startswith("gaming-")]
    print(f"gaming answers, last run: {sum(cell.seen == 'passed' for cell in gaming)} of {len(gaming)} checks passed")
    print(f"{args.runs} runs, {'busy' if args.busy else 'idle'}: {len(differed)} cells ever differed")
    for described, times in differed.most_common():
        print(f"  {times} x {described}")
    return 1 if differed else 0


def _run_all(suites: list[str] | None, check: str | None, workers: int) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for folder in suite_folders():
        if (suites is None or folder.name in suites) and (check is None or check in checks_of(folder)):
            with tempfile.TemporaryDirectory(prefix="corpus-") as scratch:
                cells += run_matrix(read_corpus(folder), Path(scratch), workers, check)
    return tuple(cells)


@contextmanager
def _busy_cores(cores: int) -> Iterator[None]:
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


if __name__ == "__main__":
    sys.exit(main())
