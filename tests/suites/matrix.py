"""Runs a corpus through the real product, as a user would, and sets what came out against what had to."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.model.outcome import Outcome
from tests.nested import WITHOUT_OURS

from .corpus import ROOT, CorpusAnswer

WORKERS = 6
"""More than cores: most of the time is spent waiting for deadlines of answers that hang."""

RUN_LIMIT_S = 900


@dataclass(frozen=True, slots=True)
class Cell:
    """One check of one answer."""

    suite: str
    answer: str
    check: str
    wanted: Outcome
    seen: str
    """An outcome, or `missing`."""
    evidence: str | None

    @property
    def differs(self) -> bool:
        """Whether the judge was wrong."""
        return self.seen != self.wanted


def run_matrix(
    answers: Sequence[CorpusAnswer], folder: Path, workers: int = WORKERS, check: str | None = None
) -> tuple[Cell, ...]:
    """Judge all answers of one suite in a run of their own.

    Args:
        answers: as `read_corpus` returns them.
        folder: an empty folder for answers, run folder and pytest's output.
        workers: processes that judge side by side.
        check: only this one; None: all of the suite's.

    Raises:
        AssertionError: the run itself did not come to its end.
    """
    suite = answers[0].suite
    options = [*WITHOUT_OURS, "-pno:cacheprovider"]
    for answer in answers:
        replay = folder / answer.name
        replay.mkdir(parents=True)
        (replay / f"{suite}.md").write_text(answer.text, "utf-8")
        options.append(f"--llm-endpoint={answer.name}=replay:{replay}")
    out = folder / "run"
    tests = f"suites/{suite}" if check is None else f"suites/{suite}/test_{suite}.py::test_{check}"
    argv = (sys.executable, "-m", "pytest", tests, "-q", "-n", str(workers))
    with (folder / "pytest.log").open("wb") as log:
        ended = subprocess.run(
            [*argv, f"--llm-out={out}", *options], cwd=ROOT, stdout=log, stderr=log, timeout=RUN_LIMIT_S, check=False
        )
    assert (out / "report.json").is_file(), f"exit status {ended.returncode}, see {folder / 'pytest.log'}"
    checks = json.loads((out / "report.json").read_text("utf-8"))["checks"]
    cells = _cells(answers, {(each["endpoint"], each["check"]): each for each in checks})
    return tuple(cell for cell in cells if check in (None, cell.check))


def _cells(answers: Sequence[CorpusAnswer], checks: Mapping[tuple[str, str], Mapping[str, str]]) -> list[Cell]:
    missing = {"outcome": "missing", "evidence": None}
    cells = []
    for answer in answers:
        for check, wanted in answer.expected.items():
            seen = checks.get((answer.name, check), missing)
            cells.append(Cell(answer.suite, answer.name, check, wanted, str(seen["outcome"]), seen["evidence"]))
    return cells


def as_table(cells: Sequence[Cell]) -> str:
    """Write cells as a matrix, answer x check; a cell that differs says `seen, not wanted`."""
    names, checks = (
        tuple(dict.fromkeys(found)) for found in zip(*((cell.answer, cell.check) for cell in cells), strict=True)
    )
    told = {
        (cell.answer, cell.check): f"{cell.seen}, not {cell.wanted}" if cell.differs else cell.seen for cell in cells
    }
    table = [["", *checks], *([name, *(told[name, check] for check in checks)] for name in names)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table
    )
