"""What can be found out while a server still loads: its program's version, and the hash of its model."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.provision.files import find_model
from pytest_llmbench.provision.hashes import model_sha256
from pytest_llmbench.provision.process import ServerProcess
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, given

VERSION_WITHIN_S = 120.0
"""Some programs import all of torch for it."""
HASH_WITHIN_S = 60.0
"""Once the server is up; until then it takes what it takes."""
POLL_S = 0.05
LOWER_PRIORITY = 10
MAX_PRINTED_BYTES = 65_536

T = TypeVar("T")


def environment(launch: Launch, serve: Serve) -> Mapping[str, str]:
    """Return all variables of a server that we start."""
    return {**os.environ, **launch.env, **serve.env}


def local_model(model: str | None, launch: Launch, serve: Serve) -> Path | None:
    """Return where a server's model lies on this machine; None if it does not, or nobody knows which it is."""
    revision = given(serve, "--revision") or "main"
    return find_model(model, Path(serve.folder), environment(launch, serve), revision) if model else None


def probe_version(kind: ServerKind, serve: Serve, launch: Launch, given_up: threading.Event | None = None) -> Facts:
    """Run what prints the version of a server's program and read it; whatever goes wrong, nothing is known.

    Nothing of it outlives this call, nor us.

    Args:
        kind: of the server.
        serve: what the user asked for.
        launch: what was started; the probe has its variables.
        given_up: ends the probe.
    """
    argv = kind.version_argv(serve)
    if argv is None:
        return Facts()
    given_up = given_up or threading.Event()
    with tempfile.TemporaryDirectory(prefix="llmbench-version-") as folder, suppress(OSError):
        printed = Path(folder) / "printed"
        process = ServerProcess(argv, environment(launch, serve), serve.folder, printed)
        try:
            deadline_s = time.monotonic() + VERSION_WITHIN_S
            while process.ended is None and time.monotonic() < deadline_s:
                if given_up.wait(POLL_S):
                    break
            ended = process.ended
        finally:
            process.stop(0.0)
        if ended == "exit status 0":
            text = printed.read_bytes()[:MAX_PRINTED_BYTES].decode("utf-8", "replace")
            return sound(lambda: kind.read_version(text))
    return Facts()


def sound(read: Callable[[], Facts]) -> Facts:
    """Return the facts that a kind reads, if they are of the right types.

    A kind may be anybody's, and a server may answer anything: what cannot be read is not known, and no more than that.
    """
    try:
        facts = read()
    except Exception:  # noqa: BLE001
        return Facts()
    texts = (facts.version, facts.build, facts.model, facts.quantisation, facts.chat_template)
    is_sound = all(text is None or isinstance(text, str) for text in texts)
    return facts if is_sound and isinstance(facts.context_tokens, int | None) else Facts()


class Beforehand:
    """Both, in threads of their own, from when it is made; `close` ends what is not done."""

    def __init__(self, kind: ServerKind, serve: Serve, launch: Launch) -> None:
        """Begin; the arguments are those of `probe_version`."""
        self.kind = kind
        self.serve = serve
        self.launch = launch
        self._given_up = given_up = threading.Event()
        self.path = path = local_model(serve.model, launch, serve)
        """Where the model lies, as far as the user's words tell; None if nowhere here."""
        self._version = _Later(lambda: probe_version(kind, serve, launch, given_up))
        self._sha256 = _Later(lambda: None if path is None else model_sha256(path, given_up.is_set))

    def version(self) -> Facts:
        """Wait for what the program says of its version."""
        return self._version.result(VERSION_WITHIN_S) or Facts()

    def sha256(self) -> str | None:
        """Wait for the hash of what lies at `path`; None if there is none, or it takes too long."""
        return self._sha256.result(HASH_WITHIN_S)

    def close(self) -> None:
        """End what is not done; may be called again."""
        self._given_up.set()
        self._version.join()
        self._sha256.join()


class _Later(threading.Thread, Generic[T]):
    """A thread that returns something."""

    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(name="llmbench-facts", daemon=True)
        self._work = work
        self._result: T | None = None
        self.start()

    def run(self) -> None:
        """Work, behind whatever else has to be done: the server is loading."""
        os.nice(LOWER_PRIORITY)  # in Linux, of the thread that asks
        self._result = self._work()

    def result(self, timeout_s: float) -> T | None:
        self.join(timeout_s)
        return self._result
