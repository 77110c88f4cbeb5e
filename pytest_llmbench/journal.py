"""The journal of a run: one line for each completion, check and figure of speed, in the order in which they came."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.model.speed import SpeedRow


@dataclass(frozen=True, slots=True)
class _Case:
    """Whose completion came."""

    endpoint: str
    suite: str
    sample: int


@dataclass(frozen=True, slots=True)
class _CompletionLine:
    kind: Literal["completion"]
    record: _Case


@dataclass(frozen=True, slots=True)
class _CheckLine:
    kind: Literal["check"]
    record: Check


@dataclass(frozen=True, slots=True)
class _SpeedLine:
    kind: Literal["speed"]
    record: SpeedRow
    nodeid: str = ""
    """Of the test that measured it; unknown in older journals."""
    row: int = 0
    """Counts the rows of that test from 1; 0 if it is unknown."""


_LINES = {"completion": _CompletionLine, "check": _CheckLine, "speed": _SpeedLine}
_BEGINNINGS = {f'{{"kind":"{kind}"'.encode(): line for kind, line in _LINES.items()}


def check_key(check: Check) -> tuple[CaseKey, str]:
    """Return what names a check in all sessions of a run: its node id begins where pytest was started."""
    file, _, test = check.nodeid.partition("::")
    return CaseKey(check.endpoint, check.suite, check.sample), f"{PurePath(file).name}::{test}"


class Journal:
    """The journal at `path`, which any process of the run may write to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, kind: str, record: object, **more: object) -> None:
        """Append one line; one that was cut off before it, by a full disk or the death of its writer, is ended first."""
        line = encode({"kind": kind, "record": record, **more}) + b"\n"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            size_bytes = os.fstat(journal.fileno()).st_size
            if size_bytes and os.pread(journal.fileno(), 1, size_bytes - 1) != b"\n":
                line = b"\n" + line
            journal.write(line)

    def checks(self) -> Mapping[str, Check]:
        """All checks so far, by node id: of one that ran more than once the last result, none of an answer that was lost."""
        found: dict[CaseKey, dict[str, Check]] = {}
        for line in self._lines():
            match line:
                case _CompletionLine(record=case):
                    # What was judged before it was another answer, which is not there any more.
                    found.pop(CaseKey(case.endpoint, case.suite, case.sample), None)
                case _CheckLine(record=check):
                    key, name = check_key(check)
                    found.setdefault(key, {})[name] = check
        return {check.nodeid: check for checks in found.values() for check in checks.values()}

    def speed(self) -> Mapping[str, tuple[SpeedRow, ...]]:
        """All that was measured so far, by node id; of one that ran more than once the last result."""
        found: dict[str, list[SpeedRow]] = {}
        for line in self._lines():
            if isinstance(line, _SpeedLine):
                rows = found.setdefault(line.nodeid, [])
                if line.row == 1:
                    rows.clear()
                rows.append(line.record)
        return {nodeid: tuple(rows) for nodeid, rows in found.items()}

    def _lines(self) -> Iterator[object]:
        """Yield what can be read; what cannot was cut off, or is none of ours."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        for line in lines:
            kind = next((kind for beginning, kind in _BEGINNINGS.items() if line.startswith(beginning)), None)
            if kind is not None:
                try:
                    yield decode(line, kind)
                except ValueError:
                    continue
