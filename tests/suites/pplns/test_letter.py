"""The letter and the program: what a model is given, and what it is not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from pytest_llmbench.suite import load_suite
from suites.pplns.books import Books
from suites.pplns.rules import Block, Share, Terms
from tests.suites.corpus import ROOT, checks_of

SUITE = load_suite(ROOT / "suites" / "pplns")
LETTER = (SUITE.folder / "prompt.md").read_text("utf-8")


@pytest.mark.parametrize(
    "hint",
    [
        r"hard-?coded",
        r"unused",
        r"mis-?match",
        r"constant",
        r"pool_fee",
        r"SHARE_WINDOW",
        r"\bDEFAULTS?\b",
        r"never read",
        r"ignored?",
        r"\bLIMIT\b.*SQL",
        r"cumulative",
    ],
)
def test_the_letter_names_no_bug(hint: str) -> None:
    assert re.search(hint, LETTER, re.IGNORECASE) is None


def test_the_letter_names_no_check() -> None:
    assert not [check for check in checks_of(SUITE.folder) if check in LETTER]


def test_the_program_is_of_a_size_that_a_small_pool_really_runs() -> None:
    assert 120 <= sum(text.count("\n") for text in SUITE.program.values()) <= 300


def test_the_program_works_with_the_settings_of_the_first_year(tmp_path: Path) -> None:
    shares = tuple(Share(number, f"miner{number % 2}", "rig1", 1 + number % 2, "") for number in range(1, 2001))
    block = Block(7, "ab", 5_000_000_007, 10**6, 2000)
    books = Books(shares, (block,), Terms(Fraction(1), Fraction(2), 2000))
    (tmp_path / "pool.db").write_bytes(books.database())
    (tmp_path / "pool.json").write_bytes(books.settings("pool.db", "out"))
    argv = [sys.executable, str(SUITE.folder / "program" / "payouts.py"), "--config", "pool.json", "7"]
    ended = subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True, text=True)
    told = json.loads((tmp_path / "out" / "payouts-7.json").read_text())
    assert told["fee"] == 50_000_000
    assert told["payouts"] == {"miner1": 3_300_000_005, "miner0": 1_650_000_002}
    assert told["shares"] == 2000
    assert "miner1" in ended.stdout
