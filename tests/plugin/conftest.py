"""A small suite whose judge reads the files instead of running them: what is tested here is what pytest makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.nested import WITHOUT_OURS

JUDGE = """
import os
from pytest_llmbench import AnswerFault, GraderError

calls = []

def read(candidate):
    with open("calls.txt", "a") as file:
        file.write(f"{os.getpid()} {candidate.rng.random()}\\n")
    return candidate.files["pay.py"]

def fault(candidate):
    raise AnswerFault("the pool never started")

def broken(candidate):
    raise KeyError("judge")

def doubtful(candidate):
    assert candidate.files == {}, "the judge was wrong"

def crash(candidate):
    os._exit(3)
"""

CHECKS = """
import pytest
from pytest_llmbench import Observe
from . import judge

def test_pays(observe: Observe) -> None:
    seen = observe(judge.read)
    assert "pay" in seen, "nobody was paid"

@pytest.mark.money
def test_exact(observe: Observe) -> None:
    assert "Decimal" in observe(judge.read), "payout 17 was 1 satoshi short"
"""

RIGHT = "Here you are.\n\n```python pay.py\nfrom decimal import Decimal\n\ndef pay():\n    return Decimal(1)\n```\n"
WRONG = "```python pay.py\ndef pay():\n    return 1.0\n```\n"


class Demo:
    """The small suite in a folder of its own, and runs of it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
        self.folder = pytester.path / "suites" / "demo"
        (self.folder / "program").mkdir(parents=True)
        (self.folder / "answers").mkdir()
        self.write("../__init__.py", "")
        self.write("__init__.py", "")
        self.write("suite.yaml", "title: Payouts\ndifficulty: easy\n")
        self.write("prompt.md", "Payouts are off.\n\n{{program}}\n")
        self.write("program/pay.py", "def pay():\n    return 0.1 + 0.2\n")
        self.write("answers/reference.md", RIGHT)
        self.write("judge.py", JUDGE)
        self.write("test_demo.py", CHECKS)

    @property
    def prompt(self) -> str:
        return "Payouts are off.\n\n```python pay.py\ndef pay():\n    return 0.1 + 0.2\n```\n\n"

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def add_check(self, scenario: str) -> None:
        with (self.folder / "test_demo.py").open("a") as file:
            file.write(f"\ndef test_{scenario}(observe: Observe) -> None:\n    observe(judge.{scenario})\n")

    def answers(self, **texts: str) -> Mapping[str, str]:
        """Write replay folders, one for each name; return the `--llm-endpoint` of each."""
        specs = {}
        for name, text in texts.items():
            folder = self.pytester.path / "recorded" / name
            folder.mkdir(parents=True)
            (folder / "demo.md").write_text(text)
            specs[name] = f"--llm-endpoint={name}=replay:{folder}"
        return specs

    def run(self, *args: str) -> pytest.RunResult:
        return self.pytester.runpytest_subprocess("suites", "--llm-out=out", *WITHOUT_OURS, *args)

    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.pytester.path / "out" / "report.json").read_text())
        return report

    def outcomes(self) -> dict[str, str]:
        """`check[endpoint]` -> outcome, as the report has it."""
        return {f"{row['check']}[{row['endpoint']}]": row["outcome"] for row in self.report()["checks"]}

    @property
    def out(self) -> Path:
        return self.pytester.path / "out"


@pytest.fixture
def demo(pytester: pytest.Pytester) -> Demo:
    return Demo(pytester)


@pytest.fixture
def right() -> str:
    return RIGHT


@pytest.fixture
def wrong() -> str:
    return WRONG
