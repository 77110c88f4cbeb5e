"""The schedule server's own account of one answer: what was due when, and when it was written. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple


class Written(NamedTuple):
    """One write, times in seconds on the monotonic clock."""

    due_s: float
    at_s: float
    """Just before it was handed to the socket."""
    tokens: int


@dataclass(slots=True)
class Entry:
    """One answer; times in seconds on the monotonic clock."""

    request: int
    """Counts from 0, in the order of arrival."""
    connection: int
    path: str
    model: str
    user: str | None
    """As the request's `user` says, so that a client finds its own requests."""
    arrived_s: float
    """Arrival of the request's last byte, by the kernel's stamp."""
    read_s: float
    """When the server came to read it."""
    schedule: dict[str, Any]
    """All of its options."""
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    finish_reason: str
    first_due_s: float
    """When the first token was due."""
    bound_tok_s: float
    """What all answers together could not exceed; 0: no bound."""
    catch_up: bool
    """Whether a late write left the later ones where they were."""
    thrash_s: float = 0.0
    """Added to a token's interval for each pair of answers under way."""
    writes: list[Written] = field(default_factory=list)
    is_whole: bool = False
    """Whether all of it was written; the client may leave before."""

    @property
    def lateness_s(self) -> list[float]:
        """How late each write was against the schedule."""
        return [write.at_s - write.due_s for write in self.writes]

    @property
    def tokens(self) -> list[Written]:
        """The writes that carried tokens."""
        return [write for write in self.writes if write.tokens]


def encode(entry: Entry) -> bytes:
    """Return the entry as one line of JSON, with its lateness."""
    late_s = sorted(entry.lateness_s)
    lateness = {"late_p50_s": _rank(late_s, 0.5), "late_p99_s": _rank(late_s, 0.99), "late_max_s": _rank(late_s, 1.0)}
    return json.dumps(asdict(entry) | lateness, separators=(",", ":")).encode() + b"\n"


def decode(lines: Iterable[bytes]) -> list[Entry]:
    """Read the entries back."""
    entries = []
    for line in lines:
        values = json.loads(line)
        for name in ("late_p50_s", "late_p99_s", "late_max_s"):
            del values[name]
        values["writes"] = [Written(*write) for write in values["writes"]]
        entries.append(Entry(**values))
    return entries


def _rank(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
