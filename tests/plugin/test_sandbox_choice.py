"""Whole runs of a real suite: without a sandbox because the user said so, and where there can be none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nested import WITHOUT_OURS

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "suites/zmq", f"--llm-out={tmp_path / 'out'}", "-pno:cacheprovider"]
    return subprocess.run(
        [*command, *WITHOUT_OURS, *args],
        cwd=ROOT,
        env=dict(os.environ, **environment),
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_record_of_a_run_without_sandbox_says_so(tmp_path: Path) -> None:
    done = run(tmp_path, "--llm-sandbox=none", f"--junitxml={tmp_path / 'out.xml'}")
    assert done.returncode == 0, done.stdout
    assert "NO SANDBOX" in done.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["run"]["sandbox"] == "none"
    assert {row["sandbox"]["kind"] for row in report["checks"]} == {"none"}
    journal = [json.loads(line) for line in (tmp_path / "out" / "journal.jsonl").read_text().splitlines()]
    assert {line["record"]["sandbox"]["kind"] for line in journal if line["kind"] == "check"} == {"none"}
    assert (tmp_path / "out.xml").read_text().count('<property name="sandbox" value="none" />') == 2


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_where_no_sandbox_can_be_had_nothing_runs_and_the_fix_is_told(tmp_path: Path, workers: str) -> None:
    # A host as Ubuntu 22.04 has it: a bubblewrap that is too old.
    old = tmp_path / "bin" / "bwrap"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho bubblewrap 0.6.1\n")
    old.chmod(0o755)
    done = run(tmp_path, workers, PATH=f"{old.parent}:{os.environ['PATH']}")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert f"infra_error: no sandbox: {old} is version 0.6.1, wanted 0.8.0 or newer" in done.stdout
    assert "upgrade the package bubblewrap" in done.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {row["outcome"] for row in report["checks"]} == {"infra_error"}
    assert not (tmp_path / "out" / "logs").exists()
