"""What a recorded exchange leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx

EXTENSION = "llmbench.tape"
"""Under this name a request carries its `Tape`. A transport that does not know it passes it over."""


UNBOUNDED = 1 << 62
"""As many bytes as nothing has."""

DONE_GRACE_S = 0.5
"""How long the end of the body may lag behind `[DONE]`; waited for, so that the connection can serve again."""


class BodyTooLongError(httpx.ReadError):
    """The body grew over the bound that its tape sets."""


class EndedByDoneError(httpx.ReadError):
    """The body had no end, but its text said that nothing more comes."""


@dataclass(slots=True)
class Tape:
    """What came of a response, and when; times in seconds on the monotonic clock."""

    max_body_bytes: int
    sent_at_s: float = 0.0
    """Just before the write of the request's last byte to the socket."""
    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    """What each read brought of the body, without its chunk coding. Grows while the answer comes."""
    ended_at_s: float = 0.0
    """Time of the read that ended the body, or after which none came."""
    failure: httpx.TransportError | None = None
    """Why the body did not come to its end; None where it did."""
    is_complete: bool = False
    """Whether the response was given out only when all of it had come, so that its stream need not be read."""
