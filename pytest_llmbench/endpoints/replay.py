"""Recorded answers instead of a server: `SUITE.md` files, or the completions of an earlier run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.codec import decode
from pytest_llmbench.model.completion import CaseKey, Completion, Exchange
from pytest_llmbench.model.endpoint import Endpoint, ServerInfo
from pytest_llmbench.model.report import Report
from pytest_llmbench.model.runrecord import RunRecord
from pytest_llmbench.model.settings import Settings

REFERENCE = "answers/reference.md"


def recorded_endpoints(folder: Path) -> tuple[str, ...]:
    """Names of the endpoints whose completions a run folder holds; empty for a folder of `SUITE.md` files."""
    completions = folder / "completions"
    return (
        tuple(sorted(entry.name for entry in completions.iterdir() if entry.is_dir())) if completions.is_dir() else ()
    )


def recorded_endpoint(folder: Path, name: str) -> Endpoint | None:
    """Return what was asked in the run whose folder this is, as an endpoint that is not asked again.

    None if the run did not write that down.
    """
    run = _run(folder)
    if run is None or (found := next((one for one in run.endpoints if one.name == name), None)) is None:
        return None
    place = str(folder / "completions" / name)
    server = _server(folder, name) or found.server
    return replace(found, url=None, serve=None, api_key_env=None, problem=None, server=server, replay=place)


def replayed_run(endpoints: Iterable[Endpoint]) -> Settings | None:
    """Return the settings of the run that is judged again; None if not all endpoints come from runs of one seed.

    Of several runs it is the one with the most samples.
    """
    runs = [_run(Path(one.replay).parent.parent) if one.replay else None for one in endpoints]
    known = [run for run in runs if run is not None]
    if len(known) < len(runs) or len({run.seed for run in known}) != 1:
        return None
    return max(known, key=lambda run: run.samples)


def recorded_answers(folder: str) -> int:
    """Count the answers that a replay folder holds, failed ones included."""
    place = Path(folder)
    return sum(path.suffix in {".json", ".md"} for path in place.iterdir()) if place.is_dir() else 0


def _server(folder: Path, name: str) -> ServerInfo | None:
    """Return what the report of a run says of an endpoint's server; None if the run was cut off before it."""
    try:
        report = decode((folder / "report.json").read_bytes(), Report)
    except (OSError, ValueError):
        return None
    return next((row.server for row in report.endpoints if row.name == name), None)


def _run(folder: Path) -> Settings | None:
    try:
        return decode((folder / "run.json").read_bytes(), RunRecord).settings
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An answer, and what was asked for it."""

    exchange: Exchange
    request: Mapping[str, Any] = field(default_factory=dict)
    """The JSON body that was sent then; empty if nobody wrote it down."""


def replay(folder: str, suite_folder: Path, key: CaseKey) -> Recorded:
    """Return the recorded answer to a case.

    Args:
        folder: as in `Endpoint.replay`; empty for the suite's own reference answer.
        suite_folder: where the suite lies.
        key: the case; sample n is `SUITE-sN.md` or `SUITE-sN.json`, and for n = 1 also `SUITE.md`, which serves all
            samples that have no file of their own.

    Raises:
        EndpointError: nothing is recorded for the case, or it is a recorded failure.
    """
    if not folder:
        return _from_text(suite_folder / REFERENCE)
    for name in (f"{key.suite}-s{key.sample}.json", f"{key.suite}-s{key.sample}.md", f"{key.suite}.md"):
        path = Path(folder, name)
        if path.is_file():
            return _from_record(path) if path.suffix == ".json" else _from_text(path)
    raise EndpointError(f"replay {folder}: no answer recorded for suite {key.suite!r}; it wants {key.suite}.md")


def _from_text(path: Path) -> Recorded:
    try:
        return Recorded(Exchange(content=path.read_bytes().decode("utf-8", "replace")))
    except OSError as error:
        raise EndpointError(f"replay {path}: {error.strerror}") from error


def _from_record(path: Path) -> Recorded:
    try:
        recorded = decode(path.read_bytes(), Completion)
    except (OSError, ValueError) as error:
        raise EndpointError(f"replay {path}: not a recorded completion: {error}") from error
    if recorded.exchange is None:
        raise EndpointError(f"replay {path}: the recorded run got no answer: {recorded.error}")
    return Recorded(recorded.exchange, recorded.request)
