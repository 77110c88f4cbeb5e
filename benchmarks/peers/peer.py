"""What a peer is: how it is installed, started and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.truth import Figures


@dataclass(frozen=True, slots=True)
class Task:
    """One run of a client against the schedule server."""

    url: str
    """Base URL up to and including `/v1`."""
    concurrency: int
    requests: int
    """A multiple of the concurrency."""
    tokens: int
    """Length of every answer."""
    tokenizer: Path
    """Folder of a tokenizer that knows the server's words."""
    folder: Path
    """Empty; the run's output goes there, its stdout as `stdout`."""

    @property
    def server(self) -> str:
        """The URL without `/v1`."""
        return self.url.removesuffix("/v1")


@dataclass(frozen=True, slots=True)
class Peer:
    """One client."""

    name: str
    requirement: str | None
    """What pip installs; None for this project's own client."""
    command: Callable[[Path, Task], list[str]]
    """From the folder of the environment's programs and a task to the command line."""
    read: Callable[[Task], Figures]
    """From a task that was run to what the client says; raises OSError, ValueError or LookupError if it says nothing."""
