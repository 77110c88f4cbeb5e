"""Owns the servers of a run: each is up while somebody wants it, and never beside one that needs the same resource."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_llmbench.model.endpoint import Endpoint, ServerInfo
from pytest_llmbench.model.serving import Cause, Failure, Phase
from pytest_llmbench.provision.process import ServerProcess
from pytest_llmbench.provision.progress import log_text
from pytest_llmbench.provision.redaction import redact_text, secrets_in
from pytest_llmbench.provision.resources import Resources
from pytest_llmbench.provision.server import Running, Start, bring_up
from pytest_llmbench.provision.state import ServerState, Status, lease_name, write_state
from pytest_llmbench.provision.tally import Tally
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.servers.classify import classify
from pytest_llmbench.servers.kind import ServerKind

POLL_S = 0.05
LINGER_S = 60.0
"""How long a server that others wait for stays up for tests that will want it, but do not yet."""

SLOW_S = 3.0
"""After so long at the end of a run, the user is told what it waits for."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the owner needs to know of the run."""

    is_pending: Callable[[str], bool]
    """Whether tests are left that will want the server of an endpoint."""
    tell: Callable[[str], None]
    """Takes lines for the user; from any thread."""


class Owner:
    """Starts and stops the servers of all endpoints that have one, in a thread for each."""

    def __init__(
        self, endpoints: Sequence[Endpoint], kinds: Mapping[str, ServerKind], folder: RunFolder, wishes: Wishes
    ) -> None:
        self._closing = threading.Event()
        resources = Resources()
        self._kept = [
            _Kept(rank, endpoint, kinds[endpoint.serve.kind], folder, wishes, resources, self._closing)
            for rank, endpoint in enumerate(endpoints)
            if endpoint.serve is not None
        ]
        self._threads = [
            threading.Thread(target=kept.run, name=f"llmbench-{kept.name}", daemon=True) for kept in self._kept
        ]

    def start(self) -> None:
        """Begin to look whether servers are wanted."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop all servers; return when nothing of them is left. A Ctrl-C meanwhile kills them."""
        self._closing.set()
        try:
            self._join()
        except KeyboardInterrupt:
            # Pressed again, as servers may take their time. What is known of the run is still to be written down.
            for kept in self._kept:
                kept.kill()
            self._join()

    def _join(self) -> None:
        slow_s = time.monotonic() + SLOW_S
        for kept in self._kept:
            # No join of the thread: interrupted once, it takes a thread for ended that is not (Python 3.11).
            if not kept.is_over.wait(max(0.0, slow_s - time.monotonic())):
                kept.tell("still stopping; Ctrl-C kills it")
                kept.is_over.wait()

    @property
    def served(self) -> Mapping[str, Endpoint]:
        """The endpoints as they were served, by name, with what is known of their servers."""
        return {kept.name: kept.served for kept in self._kept}


class _Kept:
    """One server, through all its starts; a thread of its own."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a server needs to know
        self,
        rank: int,
        endpoint: Endpoint,
        kind: ServerKind,
        folder: RunFolder,
        wishes: Wishes,
        resources: Resources,
        closing: threading.Event,
    ) -> None:
        assert endpoint.serve is not None  # noqa: S101 - for the type checker
        self.served = replace(endpoint, server=ServerInfo(kind=kind.name))
        self.is_over = threading.Event()
        """Nothing of it runs any more, and nothing will."""
        self._rank = rank
        self._endpoint = endpoint
        self._serve = endpoint.serve
        self._kind = kind
        self._folder = folder
        self._wishes = wishes
        self._resources = resources
        self._closing = closing
        variable = endpoint.api_key_env
        self._tally = Tally(kind, os.environ.get(variable) if variable else None)
        self._starts = 0
        self._deaths = 0
        self._problem: str | None = None
        self._process: ServerProcess | None = None

    @property
    def name(self) -> str:
        """Of the endpoint."""
        return self._endpoint.name

    def run(self) -> None:
        """Serve whenever it is wanted, until the run ends or the server fails for good."""
        try:
            self._serve_when_wanted()
        except Exception as error:  # noqa: BLE001 - others write kinds too; who waits for the server must not do so for ever
            self._failed(_fault(error, secrets_in({**os.environ, **self._serve.env})))
        finally:
            self.is_over.set()

    def kill(self) -> None:
        """Give it no more time to stop; from any thread."""
        if self._process is not None:
            self._process.kill()

    def tell(self, line: str) -> None:
        """Take a line for the user; from any thread."""
        self._wishes.tell(f"{self.name}: {line}")

    def _serve_when_wanted(self) -> None:
        while not self._closing.wait(POLL_S):
            if not self._is_wanted():
                continue
            if not self._resources.take(self._rank, self._serve.resources, self._is_wanted):
                continue
            try:
                failed = self._serve_once()
            finally:
                self._resources.release(self._rank)
            if failed:
                return

    def _serve_once(self) -> bool:
        """Start, serve, stop; return whether there is no use in trying again."""
        self._starts += 1
        self._say(Status.STARTING)
        log_name = f"servers/{self.name}-{self._starts}.log"
        start = Start(
            self._endpoint,
            self._kind,
            self._folder.path / log_name,
            log_name,
            self._closing.is_set,
            self.tell,
            self._began,
        )
        found = bring_up(start)
        if isinstance(found, Failure) and self._closing.is_set():
            self._say(Status.DOWN)  # nobody waited for it any more: that is no fault of the server's
            return True
        if isinstance(found, Failure):
            return self._failed(found)
        self._tally.begin(found.root)
        self.served = replace(self._endpoint, url=found.url, model=found.model, server=found.info)
        self._say(Status.READY)
        began_s = time.monotonic()
        try:
            ended = self._watch(found)
            self._tally.end()
        finally:
            left = found.process.stop(self._serve.stop_timeout_s)
        self._note(found)  # after the stop: the keeper looks a last time then
        if left is not None:
            self.tell(left)
        if ended is None:
            self._say(Status.DOWN)
            return False
        said = classify(log_text(start.log), self._kind.signatures, ended)
        after_s = time.monotonic() - began_s
        line = None if said.line is None else redact_text(said.line, start.secrets)
        failure = Failure(Phase.SERVING, said.cause, line, said.advice, ended, after_s, log_name)
        self._deaths += 1
        return self._failed(failure, again=self._deaths <= self._serve.restarts)

    def _watch(self, running: Running) -> str | None:
        """Return how the process ended, or None when it is to be stopped."""
        idle_since_s: float | None = None
        while not self._closing.wait(POLL_S):
            if running.process.ended is not None:
                self._say(Status.STOPPING)  # at once: what it left behind may take its time
                return running.process.ended
            if self._is_wanted():
                idle_since_s = None
                continue
            idle_since_s = idle_since_s or time.monotonic()
            lingers = self._wishes.is_pending(self.name) and time.monotonic() - idle_since_s < LINGER_S
            if self._resources.is_contended(self._rank) and not lingers and self._has_let_go():
                return None
        return None

    def _has_let_go(self) -> bool:
        """Say that it stops, unless somebody wants it after all; who wants it later finds that said."""
        alone = self._folder.claim(lease_name(self.name))
        if alone is None:
            return False
        with alone:
            self._say(Status.STOPPING)
        return True

    def _began(self, process: ServerProcess) -> None:
        self._process = process

    def _failed(self, failure: Failure, *, again: bool = False) -> bool:
        self._problem = str(failure)
        self.served = replace(self.served, server=replace(self.served.server, failure=failure, log=failure.log))
        self.tell(self._problem)
        self._say(Status.DOWN if again else Status.FAILED)
        return not again

    def _note(self, running: Running) -> None:
        server = replace(
            self.served.server,
            memory_peak_bytes=running.process.memory_peak_bytes,
            metrics=self._tally.figures,
        )
        self.served = replace(self.served, server=server)

    def _is_wanted(self) -> bool:
        """Whether anybody holds a lease."""
        if self._closing.is_set():
            return False
        alone = self._folder.claim(lease_name(self.name))
        if alone is None:
            return True
        alone.close()
        return False

    def _say(self, status: Status) -> None:
        ready = status is Status.READY
        state = ServerState(
            status,
            self._starts,
            self.served.url if ready else None,
            self.served.model if ready else None,
            self.served.server.context_tokens if ready else None,
            self._problem,
        )
        write_state(self._folder, self.name, state)


def _fault(error: Exception, secrets: Sequence[str]) -> Failure:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    line = f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"
    advice = "no fault of the server's; report it to whoever wrote that file"
    return Failure(Phase.START, Cause.UNKNOWN, redact_text(line, secrets), advice)
