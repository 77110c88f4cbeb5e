"""How one server stands: told to those who want to ask it, and kept for the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pytest_llmbench.model.endpoint import Endpoint, ServerInfo
from pytest_llmbench.model.serving import Failure
from pytest_llmbench.provision.server import Running
from pytest_llmbench.provision.state import ServerState, Status, lease_name, write_state
from pytest_llmbench.runfolder import RunFolder


class Standing:
    """Of the server of one endpoint, through all its starts; for its owner only."""

    def __init__(self, endpoint: Endpoint, kind: str, folder: RunFolder, tell: Callable[[str], None]) -> None:
        self.served = replace(endpoint, server=ServerInfo(kind=kind))
        """The endpoint with what is known of its server."""
        self.starts = 0
        self._folder = folder
        self._tell = tell
        self._health_url: str | None = None
        self._problem: str | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether anybody holds a lease."""
        alone = self._folder.claim(lease_name(self.served.name))
        if alone is None:
            return True
        alone.close()
        return False

    def starting(self) -> str:
        """Count a start; return the name of its log in the run folder."""
        self.starts += 1
        self._say(Status.STARTING)
        return f"servers/{self.served.name}-{self.starts}.log"

    def ready(self, running: Running) -> None:
        """Let it be asked."""
        self.served = replace(self.served, url=running.url, model=running.model, server=running.info)
        self._health_url = running.health_url
        self._say(Status.READY)

    def stopping(self) -> None:
        """Let nobody ask it any more."""
        self._say(Status.STOPPING)

    def let_go(self) -> bool:
        """Do the same unless somebody wants it after all, and return whether it is done; who wants it later finds it."""
        alone = self._folder.claim(lease_name(self.served.name))
        if alone is None:
            return False
        with alone:
            self.stopping()
        return True

    def down(self) -> None:
        """Say that nothing runs, and that it may be started again."""
        self._say(Status.DOWN)

    def failed(self, failure: Failure, *, again: bool = False) -> None:
        """Say why it does not serve, and, unless it is started `again`, that it will not."""
        self._problem = str(failure)
        self.served = replace(self.served, server=replace(self.served.server, failure=failure, log=failure.log))
        self._tell(self._problem)
        self._say(Status.DOWN if again else Status.FAILED)

    def note(self, memory_peak_bytes: int | None, metrics: Mapping[str, float] | None) -> None:
        """Keep what was measured while it served."""
        server = replace(self.served.server, memory_peak_bytes=memory_peak_bytes, metrics=metrics)
        self.served = replace(self.served, server=server)

    def _say(self, status: Status) -> None:
        state = ServerState(status, self.starts, problem=self._problem)
        if status is Status.READY:
            served = self.served
            state = replace(
                state,
                url=served.url,
                health_url=self._health_url,
                model=served.model,
                context_tokens=served.server.context_tokens,
            )
        write_state(self._folder, self.served.name, state)
