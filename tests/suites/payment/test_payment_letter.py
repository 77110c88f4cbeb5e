"""The payment suite's letter and program: what a model is given, and what it is not."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pytest_llmbench.suite import load_suite
from suites.payment.books import SCHEMA
from tests.suites.corpus import ROOT, checks_of

SUITE = load_suite(ROOT / "suites" / "payment")
LETTER = (SUITE.folder / "prompt.md").read_text("utf-8")


@pytest.mark.parametrize(
    "hint",
    [
        r"race",
        r"inject",
        r"atomic",
        r"float",
        r"decimal\.Decimal|\bDecimal\b",
        r"parameter(ised|ized)",
        r"BEGIN IMMEDIATE",
        r"RETURNING",
        r"idempoten",
        r"transaction(s|al)?\b(?! id)",
        r"injection|sanitis|sanitiz|escap",
    ],
)
def test_the_letter_names_no_bug(hint: str) -> None:
    assert re.search(rf"\b(?:{hint})", LETTER, re.IGNORECASE) is None


def test_the_letter_names_no_check() -> None:
    assert not [check for check in checks_of(SUITE.folder) if check in LETTER]


def test_the_judge_makes_the_tables_that_the_program_makes(tmp_path: Path) -> None:
    run_program(tmp_path, "summary")
    with closing(sqlite3.connect(":memory:")) as judges, closing(sqlite3.connect(tmp_path / "pool.db")) as programs:
        judges.executescript(SCHEMA)
        for table in ("workers", "credits", "payouts"):
            columns = f"SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{table}')"  # noqa: S608 - a list above
            assert judges.execute(columns).fetchall() == programs.execute(columns).fetchall()


def test_the_program_settles_and_searches_what_its_owner_tested_it_with(tmp_path: Path) -> None:
    run_program(tmp_path, "summary")
    with closing(sqlite3.connect(tmp_path / "pool.db")) as database:
        database.execute("INSERT INTO workers VALUES ('rig1', 'bc1qminer')")
        database.execute("INSERT INTO credits (worker, amount) VALUES ('rig1', '0.5')")
        database.commit()
    run_program(tmp_path, "settle", "--fee", "50", "--minimum", "0.25")
    found = json.loads(run_program(tmp_path, "search", "rig1"))
    assert (found["worker"], found["amount"], found["status"]) == ("rig1", "0.25", "pending")


def run_program(folder: Path, command: str, *arguments: str) -> str:
    program = str(SUITE.folder / "program" / "payments.py")
    argv = (sys.executable, program, command, "--db", str(folder / "pool.db"), *arguments)
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout
