"""Starts servers of one mood, and knows what they left."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.serving import Failure, Serve
from pytest_llmbench.provision.server import Running, bring_up
from pytest_llmbench.provision.start import Start
from pytest_llmbench.servers.kind import Launch, ServerKind

MOODY = Path(__file__).with_name("moody_server.py")
PATIENT_S = 120.0


class Clock:
    """For the module that waits: stands still, and moves on by a step whenever it is read while something is so."""

    def __init__(self, step_s: float, is_so: Callable[[], bool]) -> None:
        self._step_s = step_s
        self._is_so = is_so
        self._now_s = 0.0
        self._until_s = time.monotonic() + PATIENT_S

    def monotonic(self) -> float:
        """Return the time."""
        assert time.monotonic() < self._until_s, "what should have come to pass did not"
        if self._is_so():
            self._now_s += self._step_s
        return self._now_s


class Moody(ServerKind):
    """The server of these tests; its model is its mood."""

    name = "moody"

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        program = serve.program or (sys.executable, str(MOODY))
        return Launch((*program, str(serve.model), str(port), serve.host))


class Bench:
    """Starts servers, and knows what they left."""

    def __init__(self, folder: Path, temporary: Path) -> None:
        self._temporary = temporary
        self.log = folder / "servers" / "m-1.log"
        self.told: list[str] = []
        self.on_word: Callable[[str], None] = lambda _: None
        self.is_cancelled: Callable[[], bool] = lambda: False
        self.running: list[Running] = []

    def start(
        self, mood: str, kind: ServerKind | None = None, endpoint: Mapping[str, Any] | None = None, **serve: Any
    ) -> Running | Failure:
        """Bring up a server in that mood."""
        wanted: dict[str, Any] = {"kind": "moody", "model": mood, "ready_timeout_s": PATIENT_S, "stop_timeout_s": 5.0}
        asked = Endpoint("m", serve=Serve(**wanted | serve), **endpoint or {})
        found = bring_up(Start(asked, kind or Moody(), self.log, "servers/m-1.log", self.is_cancelled, self._tell))
        if isinstance(found, Running):
            self.running.append(found)
        return found

    def runs(self, *args: Any, **how: Any) -> Running:
        """Bring up one that must come up."""
        found = self.start(*args, **how)
        assert isinstance(found, Running), f"{found}\n{self.log.read_text()}"
        return found

    def fails(self, *args: Any, **how: Any) -> Failure:
        """Try to bring up one that must not, and look that nothing of it is left."""
        found = self.start(*args, **how)
        assert isinstance(found, Failure)
        assert self.left() == []
        return found

    @property
    def said(self) -> str:
        """All that the server printed."""
        return self.log.read_text() if self.log.exists() else ""

    @property
    def asked(self) -> list[Any]:
        """The bodies of the chat completions that the server was asked for."""
        marked = [line for line in self.said.splitlines() if line.startswith("asked: ")]
        return [json.loads(line.removeprefix("asked: ")) for line in marked]

    def left(self) -> list[psutil.Process]:
        """Return all processes that carry our mark: a variable that they got from us, and we did not start with."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("TMPDIR") == str(self._temporary):
                    found.append(process)
        return found

    def wait_until_gone(self) -> None:
        """Wait until none of them is left."""
        deadline_s = time.monotonic() + PATIENT_S
        while left := self.left():
            assert time.monotonic() < deadline_s, left
            time.sleep(0.05)

    def stop(self) -> None:
        """End all that runs."""
        for running in self.running:
            running.process.stop(5.0)

    def _tell(self, line: str) -> None:
        self.told.append(line)
        self.on_word(line)
