"""Recorded answers instead of a server: `SUITE.md` files, or the completions of an earlier run."""

from __future__ import annotations

from pathlib import Path

from pytest_llmbench.errors import EndpointError
from pytest_llmbench.model.codec import decode
from pytest_llmbench.model.completion import CaseKey, Completion, Exchange

REFERENCE = "answers/reference.md"


def recorded_endpoints(folder: Path) -> tuple[str, ...]:
    """Names of the endpoints whose completions a run folder holds; empty for a folder of `SUITE.md` files."""
    completions = folder / "completions"
    return (
        tuple(sorted(entry.name for entry in completions.iterdir() if entry.is_dir())) if completions.is_dir() else ()
    )


def replay(folder: str, suite_folder: Path, key: CaseKey) -> Exchange:
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


def _from_text(path: Path) -> Exchange:
    try:
        return Exchange(content=path.read_bytes().decode("utf-8", "replace"))
    except OSError as error:
        raise EndpointError(f"replay {path}: {error.strerror}") from error


def _from_record(path: Path) -> Exchange:
    try:
        recorded = decode(path.read_bytes(), Completion)
    except (OSError, ValueError) as error:
        raise EndpointError(f"replay {path}: not a recorded completion: {error}") from error
    if recorded.exchange is None:
        raise EndpointError(f"replay {path}: the recorded run got no answer: {recorded.error}")
    return recorded.exchange
