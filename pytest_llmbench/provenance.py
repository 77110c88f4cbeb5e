"""Where the answers of a run come from, in words: no answer is used again without saying so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from importlib.metadata import version
from pathlib import Path

from pytest_llmbench.endpoints.replay import recorded_answers
from pytest_llmbench.model.completion import CaseKey, Completion
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.runfolder import RunFolder


def resumed_line(settings: Settings) -> str:
    """Say what is there of a run that is gone on with."""
    folder = RunFolder(Path(settings.out))
    counts = Counter(outline.error is None for outline in folder.outlines().values())
    failed = f", {counts[False]} failed and are asked for again" if counts[False] else ""
    record, now = folder.run_record(), version("pytest-llmbench")
    before = now if record is None else record.sessions[-1].version
    other = "" if before == now else f"; it was written by pytest-llmbench {before}, this is {now}"
    return f"going on with run {settings.run_id} in {settings.out}: {_answers(counts[True])} there{failed}{other}"


def replayed_words(folder: str) -> str:
    """Say what is judged again."""
    return f"{folder}: {_answers(recorded_answers(folder))} recorded, no server is asked"


def missing_line(settings: Settings, keys: Collection[CaseKey]) -> str:
    """Say how many answers a run that is gone on with still wants."""
    there = {key for key, outline in RunFolder(Path(settings.out)).outlines().items() if outline.error is None}
    missing = len({*keys} - there)
    return f"asking for {missing} of {_answers(len(keys))}" if missing else "nothing is missing; no endpoint is asked"


def origin_lines(settings: Settings, completions: Iterable[Completion]) -> list[str]:
    """Say for each endpoint with answers of more than one origin, or from another run, how many came from where."""
    lines = []
    completions = [completion for completion in completions if completion.error is None]
    for endpoint in settings.endpoints:
        own = Counter(completion.session for completion in completions if completion.endpoint == endpoint.name)
        how = f"replayed from {endpoint.replay}" if endpoint.replay else "asked for"
        if endpoint.replay and settings.session == 1:
            lines.append(f"{endpoint.name}: {_answers(own.total())} {how}")
        elif settings.session > 1:
            parts = [f"{count} {how} in session {session}" for session, count in sorted(own.items())]
            lines.append(f"{endpoint.name}: answers: {', '.join(parts) or 'none'}")
    return lines


def _answers(count: int) -> str:
    return f"{count} answer{'' if count == 1 else 's'}"
