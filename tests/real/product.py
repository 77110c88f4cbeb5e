"""Runs the product as a user does, and reads what it wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.nested import WITHOUT_OURS
from tests.real.servers import REPOSITORY

_WITHIN_S = 600.0


@dataclass(frozen=True, slots=True)
class ProductRun:
    """One `pytest suites -k zmq …` that has ended."""

    out: Path
    """Its run folder."""
    exit_code: int
    stdout: str

    @property
    def report(self) -> Any:
        """What report.json says."""
        return json.loads((self.out / "report.json").read_bytes())

    @property
    def completions(self) -> list[Any]:
        """The report's completions."""
        rows: list[Any] = self.report["completions"]
        return rows

    @property
    def outcomes(self) -> Counter[str]:
        """How often each outcome occurs among the report's checks."""
        return Counter(check["outcome"] for check in self.report["checks"])

    def transcripts(self) -> list[Any]:
        """All completions as the run folder keeps them, in the order of their names."""
        return [json.loads(path.read_bytes()) for path in sorted(self.out.glob("completions/*/*.json"))]


def start_product(out: Path, *arguments: str, suites: str = "zmq") -> subprocess.Popen[str]:
    """Start a suite, or `all`, from the repository's root; nothing of the surrounding pytest reaches it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "suites", *WITHOUT_OURS, "-pno:cacheprovider", f"--llm-out={out}"]
    chosen = () if suites == "all" else ("-k", suites)
    return subprocess.Popen(
        [*command, *chosen, *arguments],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish_product(process: subprocess.Popen[str], out: Path) -> ProductRun:
    """Wait for a run that was started."""
    try:
        stdout, _ = process.communicate(timeout=_WITHIN_S)
    finally:
        process.kill()
    return ProductRun(out, process.returncode, stdout)


def run_product(out: Path, *arguments: str) -> ProductRun:
    """Run the zmq suite to its end."""
    return finish_product(start_product(out, *arguments), out)
