"""The texts of a run folder, for reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from pytest_llmbench.answers import split_reasoning
from pytest_llmbench.model.completion import CaseKey, Completion, transcript_path
from pytest_llmbench.runfolder import RunFolder, candidate_path

MAX_TEXT_BYTES: Final = 4 * 1024 * 1024
"""Of a text that is longer, the beginning and the end are given, half of this each."""


class RunDetails:
    """Reads one run folder, as `reports.details.Details`; what cannot be read there is not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run = RunFolder(folder)

    def completion(self, endpoint: str, suite: str, sample: int) -> Completion | None:
        """See `Details`."""
        key = CaseKey(endpoint, suite, sample)
        try:
            found = self._run.read_completion(key) if self._inside(transcript_path(key)) else None
        except OSError:
            return None
        return found and _taken_apart(found)

    def prompt(self, suite: str) -> str | None:
        """See `Details`."""
        return self._text(f"suites/{suite}/prompt.md")

    def program(self, suite: str) -> Mapping[str, str]:
        """See `Details`."""
        return self._texts(f"suites/{suite}/program")

    def candidate(self, endpoint: str, suite: str, sample: int) -> Mapping[str, str]:
        """See `Details`."""
        return self._texts(candidate_path(CaseKey(endpoint, suite, sample)))

    def text(self, path: str) -> str | None:
        """See `Details`."""
        return self._text(path)

    def _inside(self, name: str) -> Path | None:
        """Return where a path of a report leads; None if that is outside: reports come from anywhere."""
        found = Path(self._folder, name)
        try:
            return found if found.resolve().is_relative_to(self._folder.resolve()) else None
        except (OSError, ValueError, RuntimeError):
            return None

    def _text(self, name: str) -> str | None:
        found = self._inside(name)
        try:
            return None if found is None or not found.is_file() else _read(found)
        except OSError:
            return None

    def _texts(self, name: str) -> dict[str, str]:
        top = self._inside(name)
        if top is None:
            return {}
        try:
            paths = sorted(path.relative_to(top).as_posix() for path in top.rglob("*"))
        except OSError:
            return {}
        texts = ((path, self._text(f"{name}/{path}")) for path in paths)
        return {path: text for path, text in texts if text is not None}


def _taken_apart(completion: Completion) -> Completion:
    """Return the record with reasoning that came between tags inside the content where reasoning belongs."""
    exchange = completion.exchange
    split = split_reasoning(exchange.content) if exchange is not None else None
    if exchange is None or split is None or split.reasoning is None:
        return completion
    reasoning = "\n\n".join(filter(None, (exchange.reasoning, split.reasoning)))
    return replace(completion, exchange=replace(exchange, content=split.answer, reasoning=reasoning))


def _read(path: Path) -> str:
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        if size_bytes <= MAX_TEXT_BYTES:
            return file.read().decode("utf-8", "replace")
        begin = file.read(MAX_TEXT_BYTES // 2)
        file.seek(-MAX_TEXT_BYTES // 2, 2)
        left_out = f"\n… {size_bytes - MAX_TEXT_BYTES} bytes left out …\n"
        return begin.decode("utf-8", "replace") + left_out + file.read().decode("utf-8", "replace")
