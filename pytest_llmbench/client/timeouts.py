"""How long an endpoint may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds of one request, in seconds."""

    connect_s: float = 10.0
    """Until the connection stands, TLS included; for each attempt."""
    read_idle_s: float = 300.0
    """Without a byte from the server. Generous: a long prompt on slow hardware takes minutes before its first token."""
    total_s: float = 1800.0
    """For the whole answer, all attempts and the pauses between them included."""


MODEL_LIST = Timeouts(connect_s=10.0, read_idle_s=30.0, total_s=60.0)
"""For the list of models, which needs no model to run."""
