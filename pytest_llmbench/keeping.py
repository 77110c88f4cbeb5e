"""What a run folder keeps of suites and candidates, for those who read its report; nothing here can break a run."""

from __future__ import annotations

import hashlib
import pprint
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytest_llmbench.answers.names import refusal
from pytest_llmbench.errors import GraderError, UsageFault
from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.model.report import SuiteRow
from pytest_llmbench.runfolder import RunFolder, candidate_path, log_path
from pytest_llmbench.suite import Suite, load_suite

MAX_CANDIDATE_BYTES = 8 * 1024 * 1024
"""Of all files of one candidate together; what comes after is left out."""
MAX_SEEN_CHARS = 200_000
"""Of what one scenario saw; pprint takes a second for some ten times that."""


def suite_row(suite: Suite) -> SuiteRow:
    """Say what a suite is; its version changes with all that asks or judges.

    Raises:
        OSError: a file cannot be read.
    """
    judging = {path.name: path.read_bytes() for path in suite.folder.glob("*.py")}
    judging["suite.yaml"] = (suite.folder / "suite.yaml").read_bytes()
    judging |= {f"program/{path}": text.encode("utf-8", "surrogatepass") for path, text in suite.program.items()}
    prompt = suite.prompt.encode("utf-8", "surrogatepass")
    return SuiteRow(
        name=suite.name,
        title=suite.title,
        difficulty=suite.difficulty,
        prompt_sha256=hashlib.sha256(prompt).hexdigest(),
        version=_sha256(judging | {"prompt.md": prompt}),
        judge_sha256=_sha256(judging),
    )


def _sha256(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {len(files[name])}\n".encode() + files[name])
    return digest.hexdigest()


def suite_changed(folder: RunFolder, suite: Suite) -> str | None:
    """Say that a suite is not as it was when the run began; None if it is, or was not asked then."""
    before = folder.suite(suite.name)
    if before is None or (now := suite_row(suite)) == before:
        return None
    what = "asks something else" if now.prompt_sha256 != before.prompt_sha256 else "judges in another way"
    return (
        f"the suite {suite.name} {what} than when this run began; begin a new run"
        f" (--llm-endpoint=replay:{folder.path} judges the answers that are there)"
    )


def keep_suite(folder: RunFolder, suite: Suite) -> None:
    """Keep what is asked, byte for byte, unless the same is there already."""
    with suppress(OSError, UnicodeError):
        row = suite_row(suite)
        if folder.suite(suite.name) != row:
            folder.write_suite(row, suite.prompt, dict(_writable(suite.program)))


def refuse_changed(run: Path, suites: Iterable[Path]) -> None:
    """See that suites are what they were when a run began.

    Raises:
        UsageFault: one is not; or it is none any more.
    """
    for suite in map(_loaded, suites):
        if why := suite_changed(RunFolder(run), suite):
            raise UsageFault(why)


def refuse_other_letters(replays: Iterable[str], suites: Collection[Path]) -> None:
    """See that recorded answers were given to the letters that they are judged by, where their runs say it.

    Args:
        replays: folders of the answers, `RUN/completions/ENDPOINT`; others say nothing.
        suites: those that judge them.

    Raises:
        UsageFault: they were not.
    """
    runs = {Path(replay).parent.parent for replay in replays if Path(replay).parent.name == "completions"}
    for run in sorted(runs):
        for suite in map(_loaded, suites):
            before = RunFolder(run).suite(suite.name)
            if before is not None and before.prompt_sha256 != suite_row(suite).prompt_sha256:
                raise UsageFault(
                    f"--llm-endpoint=replay:{run}: the suite {suite.name} asks something else than when its answers"
                    f" were given; leave it out, or judge them all the same: --llm-allow-different=prompts"
                )


def _loaded(place: Path) -> Suite:
    try:
        return load_suite(place)
    except GraderError as error:
        raise UsageFault(str(error)) from error


def keep_candidate(folder: RunFolder, key: CaseKey, files: Mapping[str, str]) -> None:
    """Keep the files as they came out of an answer, laid over the program; those of an answer that was lost go."""
    shutil.rmtree(folder.path / candidate_path(key), ignore_errors=True)
    for path, data in _writable(files):
        # One name may be a folder to another one: the sandbox has said so to whoever asked.
        with suppress(OSError):
            folder.write(f"{candidate_path(key)}/{path}", data)


def keep_seen(folder: RunFolder, key: CaseKey, scenario: str, seen: Any) -> None:
    """Keep what a judge observed, laid out for readers."""
    try:
        text = repr(seen)
        # What is longer would take pprint too long.
        text = pprint.pformat(seen, width=100) if len(text) <= MAX_SEEN_CHARS else text[:MAX_SEEN_CHARS] + "…"
        folder.write(log_path(key, f"{scenario}.seen.txt"), text.encode("utf-8", "replace") + b"\n")
    except Exception:  # noqa: BLE001 - a judge's records may do anything when they are shown, and disks are full
        return


def _writable(files: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Leave out names that extraction should have refused, and what is too much."""
    left_bytes = MAX_CANDIDATE_BYTES
    for path, text in files.items():
        data = text.encode("utf-8", "replace")
        left_bytes -= len(data)
        if refusal(path) is None and left_bytes >= 0:
            yield path, data
