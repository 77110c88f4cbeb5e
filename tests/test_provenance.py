from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_llmbench.model.completion import CaseKey, Completion, Exchange
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.runrecord import RUN_SCHEMA, RunRecord, Session
from pytest_llmbench.model.settings import Settings
from pytest_llmbench.provenance import missing_line, origin_lines, replayed_words, resumed_line
from pytest_llmbench.runfolder import RunFolder

WHOLE = Completion("new", "zmq", 1, {}, "2026-01-01T00:00:00Z", Exchange("hello"))
FAILED = Completion("new", "zmq", 2, {}, "2026-01-01T00:00:00Z", error="HTTP 500")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings((Endpoint("new"),), str(tmp_path / "run"), "r-1", "2026-01-01T00:00:00Z", 3, session=2)


@pytest.fixture
def run(settings: Settings) -> RunFolder:
    folder = RunFolder(Path(settings.out))
    for completion in (WHOLE, FAILED):
        folder.write_completion(completion)
    return folder


@pytest.mark.parametrize(
    ("by", "other"),
    [(version("pytest-llmbench"), ""), ("0.0.1", "; it was written by pytest-llmbench 0.0.1, this is {version}")],
)
def test_what_is_there_is_said_and_who_wrote_it_if_that_was_another_version(
    settings: Settings, run: RunFolder, by: str, other: str
) -> None:
    run.write_run(RunRecord(RUN_SCHEMA, settings, (Session(1, settings.started_at, by, ("pytest",)),)))
    assert resumed_line(settings) == (
        f"going on with run r-1 in {run.path}: 1 answer there, 1 failed and are asked for again"
        + other.format(version=version("pytest-llmbench"))
    )


@pytest.mark.usefixtures("run")
def test_what_is_missing_is_said(settings: Settings) -> None:
    keys = [CaseKey("new", "zmq", sample) for sample in (1, 2, 3)]
    assert missing_line(settings, keys) == "asking for 2 of 3 answers"
    assert missing_line(settings, keys[:1]) == "nothing is missing; no endpoint is asked"


def test_where_answers_come_from_is_said(settings: Settings, run: RunFolder) -> None:
    second = replace(WHOLE, sample=3, session=2)
    assert origin_lines(settings, [WHOLE, FAILED, second]) == [
        "new: answers: 1 asked for in session 1, 1 asked for in session 2"
    ]
    assert origin_lines(replace(settings, session=1), [WHOLE]) == []
    place = str(run.path / "completions" / "new")
    assert replayed_words(place) == f"{place}: 2 answers recorded, no server is asked"
    replayed = replace(settings, session=1, endpoints=(Endpoint("new", replay=place),))
    assert origin_lines(replayed, [WHOLE]) == [f"new: 1 answer replayed from {place}"]
