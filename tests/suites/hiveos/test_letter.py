"""The hiveos suite's letter and program: what a model is given, and what it is not."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from pytest_llmbench.suite import load_suite
from tests.suites.corpus import ROOT, checks_of

SUITE = load_suite(ROOT / "suites" / "hiveos")
SCRIPT = SUITE.program["make_package.sh"]
LETTER = SUITE.prompt.replace(SCRIPT, "")
FLIGHT = {
    "CUSTOM_URL": "stratum1+tcp://eu.pool.example:4444",
    "CUSTOM_TEMPLATE": "0x12ab.rig7",
    "CUSTOM_ALGO": "ethash",
}


@pytest.mark.parametrize(
    "hint",
    [
        r"here-?doc",
        r"unquoted",
        r"\bexec\b",
        r"\btee\b",
        r"chmod \+x",
        r"\breturn\b",
        r"\bappend",
        r">>",
        r"time-?out (of|for|on)",
        r"\bread -t\b",
    ],
)
def test_the_letter_names_no_bug(hint: str) -> None:
    assert re.search(hint, LETTER, re.IGNORECASE) is None


def test_the_letter_names_no_check() -> None:
    named = {check for check in checks_of(SUITE.folder) if re.search(rf"\b(test_)?{check}\b", LETTER)}
    assert named <= {"directory", "manifest"}  # ordinary words of such a letter


def test_the_script_is_of_a_size_that_people_really_write() -> None:
    assert 120 <= SCRIPT.count("\n") <= 300


def test_no_answer_can_be_taken_for_a_fragment_because_it_lacks_the_scripts_functions() -> None:
    assert re.search(r"^\w+\s*\(\)", SCRIPT, re.MULTILINE) is None


def test_on_the_pc_with_exported_variables_the_miner_mines(tmp_path: Path) -> None:
    (tmp_path / "make_package.sh").write_text(SCRIPT)
    env = {"PATH": os.environ["PATH"], "MINER_DIR": str(tmp_path), **FLIGHT}
    subprocess.run(["bash", "make_package.sh"], cwd=tmp_path, env=env, check=True, capture_output=True)
    miner = tmp_path / "ethminer" / "ethminer"
    miner.write_text('#!/bin/sh\necho "$@" > argv\n')
    miner.chmod(0o755)
    log = tmp_path / "ethminer.log"
    manifest = tmp_path / "ethminer" / "h-manifest.conf"
    manifest.write_text(manifest.read_text().replace("/tmp/ethminer", str(log.with_suffix(""))))  # noqa: S108 - the rig's
    steps = ". ./h-manifest.conf; . ./h-config.sh; bash h-run.sh"
    subprocess.run(["bash", "-c", steps], cwd=miner.parent, env=env, check=True, capture_output=True)
    argv = (miner.parent / "argv").read_text().split()
    assert argv == ["-U", "-P", "stratum1+tcp://0x12ab.rig7:x@eu.pool.example:4444", "--api-bind", "127.0.0.1:-3334"]
