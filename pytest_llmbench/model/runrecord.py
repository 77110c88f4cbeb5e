"""What `run.json` holds: a run as it was begun, without secrets, so that it can be gone on with and reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import Meta

from pytest_llmbench.model.settings import Settings

RUN_SCHEMA: Final = "llmbench-run/1"


@dataclass(frozen=True, slots=True)
class Session:
    """One session of pytest that wrote to a run."""

    number: int
    """Counts from 1."""
    started_at: str
    """UTC, ISO 8601."""
    version: str
    """Of this package."""
    command: tuple[str, ...]
    """Word by word, secrets redacted."""
    kept: int = 0
    """Whole answers of earlier sessions that it found there."""
    failed: int = 0
    """Answers that earlier sessions did not get."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run."""

    schema: Literal["llmbench-run/1"]
    settings: Settings
    """Of the last session, secrets redacted."""
    sessions: Annotated[tuple[Session, ...], Meta(min_length=1)]
    """In order."""
