"""One server of a run: up while somebody wants it, as often as it takes; a thread of its own."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_llmbench.endpoints.keys import read_key
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.serving import Cause, Failure, Phase, Serve
from pytest_llmbench.provision.process import ServerProcess
from pytest_llmbench.provision.redaction import redact_text, secrets_in
from pytest_llmbench.provision.resources import Resources
from pytest_llmbench.provision.server import Running, bring_up
from pytest_llmbench.provision.standing import Standing
from pytest_llmbench.provision.start import Start
from pytest_llmbench.provision.tally import Tally
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.servers.kind import ServerKind

POLL_S = 0.05
LINGER_S = 60.0
"""How long a server that others wait for stays up for tests that will want it, but do not yet."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the owner needs to know of the run."""

    is_pending: Callable[[str], bool]
    """Whether tests are left that will want the server of an endpoint."""
    tell: Callable[[str], None]
    """Takes lines for the user; from any thread."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all servers of a run share."""

    folder: RunFolder
    wishes: Wishes
    resources: Resources
    closing: threading.Event
    """Set when the run ends."""


class Kept:
    """One server, through all its starts."""

    def __init__(self, rank: int, endpoint: Endpoint, serve: Serve, kind: ServerKind, shared: Shared) -> None:
        """Keep the server of `endpoint`, which is number `rank` in the user's order, from `run` on."""
        self.name = endpoint.name
        self.is_over = threading.Event()
        """Nothing of it runs any more, and nothing will."""
        self.standing = Standing(endpoint, kind.name, shared.folder, self.tell)
        self._rank = rank
        self._endpoint = endpoint
        self._serve = serve
        self._kind = kind
        self._shared = shared
        self._tally = Tally(kind, read_key(endpoint.api_key_env))
        self._deaths = 0
        self._process: ServerProcess | None = None

    def run(self) -> None:
        """Serve whenever it is wanted, until the run ends or the server fails for good."""
        try:
            self._serve_when_wanted()
        except Exception as error:  # noqa: BLE001 - others write kinds too; who waits for the server must not do so for ever
            self.standing.failed(_fault(error, secrets_in({**os.environ, **self._serve.env})))
        finally:
            self.is_over.set()

    def kill(self) -> None:
        """Give it no more time to stop; from any thread."""
        if self._process is not None:
            self._process.kill()

    def tell(self, line: str) -> None:
        """Take a line for the user; from any thread."""
        self._shared.wishes.tell(f"{self.name}: {line}")

    def _serve_when_wanted(self) -> None:
        resources = self._shared.resources
        while not self._shared.closing.wait(POLL_S):
            if not self._is_wanted():
                continue
            if not resources.take(self._rank, self._serve.resources, self._is_wanted):
                continue
            try:
                is_done = self._serve_once()
            finally:
                resources.release(self._rank)
            if is_done:
                return

    def _serve_once(self) -> bool:
        """Start, serve, stop; return whether there is no use in trying again."""
        standing, closing = self.standing, self._shared.closing
        log_name = standing.starting()
        log = self._shared.folder.path / log_name
        start = Start(self._endpoint, self._kind, log, log_name, closing.is_set, self.tell, self._began)
        began_s = time.monotonic()
        found = bring_up(start)
        if isinstance(found, Running):
            return self._attend(start, found, began_s)
        if closing.is_set():
            standing.down()  # nobody waited for it any more: that is no fault of the server's
        else:
            standing.failed(found)
        return True

    def _attend(self, start: Start, running: Running, began_s: float) -> bool:
        """Let it serve until it is to stop or has died; return whether there is no use in starting it again."""
        process = running.process
        self._tally.begin(running.root)
        self.standing.ready(running)
        try:
            ended = self._watch(process)
            after_s = time.monotonic() - began_s
            self._tally.end()
        finally:
            start.stop(process)
        # After the stop: the keeper looks a last time then.
        self.standing.note(process.memory_peak_bytes, self._tally.figures)
        if ended is None:
            self.standing.down()
            return False
        self._deaths += 1
        again = self._deaths <= self._serve.restarts
        self.standing.failed(start.failure(Phase.SERVING, after_s, ended), again=again)
        return not again

    def _watch(self, process: ServerProcess) -> str | None:
        """Return how the process ended, or None when it is to be stopped."""
        idle_since_s: float | None = None
        while not self._shared.closing.wait(POLL_S):
            if process.ended is not None:
                self.standing.stopping()  # at once: what it left behind may take its time
                return process.ended
            if self._is_wanted():
                idle_since_s = None
                continue
            idle_since_s = idle_since_s or time.monotonic()
            is_pending = self._shared.wishes.is_pending(self.name)
            lingers = is_pending and time.monotonic() - idle_since_s < LINGER_S
            if self._shared.resources.is_contended(self._rank) and not lingers and self.standing.let_go():
                return None
        return None

    def _began(self, process: ServerProcess) -> None:
        self._process = process

    def _is_wanted(self) -> bool:
        return not self._shared.closing.is_set() and self.standing.is_wanted


def _fault(error: Exception, secrets: Sequence[str]) -> Failure:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    line = f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"
    advice = "no fault of the server's; report it to whoever wrote that file"
    return Failure(Phase.START, Cause.UNKNOWN, redact_text(line, secrets), advice)
