"""From the log of a server that does not serve to the cause, the telling line and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_llmbench.model.serving import Cause
from pytest_llmbench.servers.kind import Signature


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a log says."""

    cause: Cause
    line: str | None
    advice: str


def classify(log: str, signatures: Iterable[Signature] = ()) -> Diagnosis:
    """Find out from its log why a server does not serve.

    Args:
        log: all that it printed.
        signatures: of its kind, on top of the common ones.
    """
    del log, signatures
    return Diagnosis(Cause.UNKNOWN, None, "see its log")
