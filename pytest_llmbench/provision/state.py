"""What the owner of a server tells those who want to ask it: a file in the run folder."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.wholefiles import write_whole


class Status(StrEnum):
    """Of one server."""

    DOWN = "down"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    """Not to be asked any more; if it died, why is not known yet."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ServerState:
    """State of one endpoint's server."""

    status: Status = Status.DOWN
    start: int = 0
    """Counts its starts; 0 before the first."""
    url: str | None = None
    """Base URL; None unless ready."""
    health_url: str | None = None
    """Answers with 200 while it can serve; None unless ready."""
    model: str | None = None
    """Model id to ask for; None unless ready."""
    context_tokens: int | None = None
    """As the server tells it; None where it does not, or unless ready."""
    problem: str | None = None
    """One line: why it failed last; None if it never did."""


def lease_name(endpoint: str) -> str:
    """Return the lock that all hold, shared, who want the endpoint's server to be up."""
    return f"server-{endpoint}"


def read_state(folder: RunFolder, endpoint: str) -> ServerState:
    """Return the state of an endpoint's server; down if its owner has not said anything yet."""
    try:
        return decode(folder.lock_path(_file(endpoint)).read_bytes(), ServerState)
    except FileNotFoundError:
        return ServerState()


def write_state(folder: RunFolder, endpoint: str, state: ServerState) -> None:
    """Tell a state; for the owner only."""
    write_whole(folder.lock_path(_file(endpoint)), encode(state))


def _file(endpoint: str) -> str:
    return f"{lease_name(endpoint)}.json"
