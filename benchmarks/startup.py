"""What this plugin costs a pytest run that does not use it.

    python benchmarks/startup.py [PAIRS]

Runs one empty test with the plugin (`with`), and with the plugin blocked (`without`), by turns, in a fresh process each;
prints the ratio of the two times of each pair. `same` pairs two runs without it and shows what noise alone does.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Plugins of other packages that this environment happens to hold; they would only blur the comparison.
QUIET = ["-q", "-p", "no:cacheprovider", "-p", "no:anyio", "-p", "no:hypothesispytest", "-p", "no:xdist"]
WITHOUT = [*QUIET, "-p", "no:llmbench"]


def run_s(folder: Path, args: list[str]) -> float:
    """Time one run of pytest over an empty test, in seconds."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", *args, "test_empty.py"], cwd=folder, check=True, capture_output=True
    )
    return time.perf_counter() - began


def ratios(folder: Path, pairs: int, one: list[str], other: list[str]) -> list[float]:
    """Time both ways by turns, each first as often as second; return the ratio of each pair."""
    found = []
    for turn in range(pairs):
        if turn % 2:
            divisor = run_s(folder, other)
            found.append(run_s(folder, one) / divisor)
        else:
            dividend = run_s(folder, one)
            found.append(dividend / run_s(folder, other))
    return found


def main() -> None:
    """Print the ratios."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_empty.py").write_text("def test_empty(): pass\n")
        run_s(folder, QUIET)
        for title, one in (("with / without", QUIET), ("same / same", WITHOUT)):
            found = sorted(ratios(folder, pairs, one, WITHOUT))
            low, high = found[len(found) // 4], found[-1 - len(found) // 4]
            print(f"{title:15} {statistics.median(found):.3f}  (middle half {low:.3f} to {high:.3f}, {pairs} pairs)")


if __name__ == "__main__":
    main()
