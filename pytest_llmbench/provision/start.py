"""What a start of a server needs to know, and what is said of one that failed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.endpoints.keys import read_key
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.serving import Failure, Phase, Serve
from pytest_llmbench.provision.process import ServerProcess
from pytest_llmbench.provision.progress import last_line, log_text
from pytest_llmbench.provision.redaction import redact_text, secrets_in, secrets_in_words
from pytest_llmbench.servers.classify import classify
from pytest_llmbench.servers.kind import ServerKind


@dataclass(frozen=True, slots=True)
class Start:
    """What a start needs to know."""

    endpoint: Endpoint
    kind: ServerKind
    log: Path
    log_name: str
    """As the report calls it."""
    is_cancelled: Callable[[], bool]
    tell: Callable[[str], None]
    """Takes lines for the user who waits."""
    began: Callable[[ServerProcess], None] = lambda _: None
    """Takes the process as soon as there is one, for who wants to kill it."""

    @property
    def serve(self) -> Serve:
        """What to serve."""
        assert self.endpoint.serve is not None  # noqa: S101 - for the type checker; others are not started
        return self.endpoint.serve

    @property
    def api_key(self) -> str | None:
        """Of the endpoint."""
        return read_key(self.endpoint.api_key_env)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What may stand in its log, and nowhere else."""
        words = secrets_in_words(self.serve.args)
        return (*secrets_in({**os.environ, **self.serve.env}), *words, *filter(None, [self.api_key]))

    def stop(self, process: ServerProcess) -> None:
        """End the server; tell the user what even SIGKILL did not end."""
        left = process.stop(self.serve.stop_timeout_s)
        if left is not None:
            self.tell(left)

    def failure(
        self, phase: Phase, after_s: float, ended: str | None, *, said: str | None = None, is_late: bool = False
    ) -> Failure:
        """Read in the log why it does not serve.

        Args:
            phase: how far it came.
            after_s: since its start; if it served, since it was ready.
            ended: how its process ended; None if it still runs.
            said: what there is to say, should its log have no better line; else that is the log's last one.
            is_late: whether it ran out of time.
        """
        how = ended or ("timed out" if is_late else None)
        has_served = phase is Phase.SERVING
        found = classify(log_text(self.log), self.kind.signatures, how, has_served=has_served)
        line = found.line or said or last_words(self.log, self.kind.health_path)
        shown = None if line is None else redact_text(line, self.secrets)
        return Failure(phase, found.cause, shown, found.advice, ended, after_s, self.log_name)


def last_words(log: Path, health_path: str) -> str | None:
    """Return how a log ends, but for what it says of our looking at its health; None if it is empty."""
    line = last_line(log, but=f"GET {health_path} ")
    return f"its log ends: {line}" if line else None
