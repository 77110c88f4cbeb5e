"""Measure this project's client and its peers against one schedule, by turns.

    python -m benchmarks.peers [--rounds N] [--only CLIENT ...] [--part accuracy|cost]

The peers are installed at first use, each in an environment of its own under ~/.cache/pytest-llmbench/peers.
docs/benchmarks.md says what the tables mean.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.peers.aiperf import AIPERF
from benchmarks.peers.compare import Outcome, Setting, run
from benchmarks.peers.guidellm import GUIDELLM
from benchmarks.peers.install import installed, tokenizer
from benchmarks.peers.llama_benchy import LLAMA_BENCHY
from benchmarks.peers.ours import OURS
from benchmarks.peers.peer import Peer
from benchmarks.peers.tables import accuracy_row, cost_row, print_table

PEERS = (OURS, GUIDELLM, AIPERF, LLAMA_BENCHY)
ACCURACY = (
    Setting(8, 256, 10, waves=2),
    Setting(32, 256, 10, waves=2),
    Setting(64, 256, 10, waves=2),
    Setting(64, 256, 5, waves=2),
)
PACED = (Setting(64, 64, 10), Setting(64, 1024, 10))
FLOOD = (Setting(4, 2_000, 0), Setting(4, 200_000, 0))
SETTINGS = {"accuracy": ACCURACY, "cost": (*PACED, *FLOOD)}

Found = dict[tuple[str, Setting], list[Outcome]]


def measure(peers: Sequence[Peer], settings: Sequence[Setting], rounds: int) -> Found:
    """Run every client in every setting, each first as often as last; print each command when it runs first."""
    words = tokenizer(installed(next((peer for peer in (*peers, LLAMA_BENCHY) if peer.requirement), LLAMA_BENCHY)))
    found: Found = {}
    for turn in range(rounds):
        for number, setting in enumerate(settings):
            if not turn:
                print(
                    f"{setting.name}, against python -m benchmarks.schedule_server {' '.join(setting.server_options)}"
                )
            first = (turn + number) % len(peers)
            for peer in (*peers[first:], *peers[:first]):
                outcome = run(peer, setting, words)
                of_peer = found.setdefault((peer.name, setting), [])
                if not of_peer:
                    print(f"  {shlex.join(outcome.command)}", flush=True)
                if outcome.complaint:
                    print(f"  {peer.name} failed: {outcome.complaint}", flush=True)
                of_peer.append(outcome)
    return found


def show_accuracy(peers: Sequence[Peer], found: Found) -> None:
    """Print one table for each setting."""
    for setting in ACCURACY:
        rows = [accuracy_row(peer.name, found[peer.name, setting]) for peer in peers]
        print_table(f"{setting.name}; errors against the server's log", rows)


def show_cost(peers: Sequence[Peer], found: Found) -> None:
    """Print one table."""
    pairs = {
        peer.name: [(found[peer.name, short], found[peer.name, long]) for short, long in (PACED, FLOOD)]
        for peer in peers
    }
    rows = [cost_row(name, paced, flood) for name, (paced, flood) in pairs.items()]
    print_table(f"cost: {PACED[0].name} to {PACED[1].tokens}; {FLOOD[0].name} to {FLOOD[1].tokens}", rows)


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description="Compare clients.")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=[peer.name for peer in PEERS], help="clients to run")
    parser.add_argument("--part", choices=list(SETTINGS), help="tables to print")
    arguments = parser.parse_args()
    peers = [peer for peer in PEERS if arguments.only is None or peer.name in arguments.only]
    parts = [arguments.part] if arguments.part else list(SETTINGS)
    print(f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC, Python {platform.python_version()}, {_machine()}")
    print("clients:", ", ".join(peer.requirement or peer.name for peer in peers))
    found = measure(peers, [setting for part in parts for setting in SETTINGS[part]], arguments.rounds)
    for part in parts:
        {"accuracy": show_accuracy, "cost": show_cost}[part](peers, found)
    print(f"load average at the end: {_load()}; rounds: {arguments.rounds}, medians of them are shown")


def _machine() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return f"{os.cpu_count()} x {names[0] if names else platform.machine()}, load average {_load()}"


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg())


if __name__ == "__main__":
    main()
