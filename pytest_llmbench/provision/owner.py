"""Owns the servers of a run: each is up while somebody wants it, and never beside one that needs the same resource."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.provision.kept import Kept, Shared, Wishes
from pytest_llmbench.provision.resources import Resources
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.servers.kind import ServerKind

SLOW_S = 3.0
"""After so long at the end of a run, the user is told what it waits for."""


class Owner:
    """Starts and stops the servers of all endpoints that have one, in a thread for each."""

    def __init__(
        self, endpoints: Sequence[Endpoint], kinds: Mapping[str, ServerKind], folder: RunFolder, wishes: Wishes
    ) -> None:
        self._closing = threading.Event()
        shared = Shared(folder, wishes, Resources(), self._closing)
        self._kept = [
            Kept(rank, endpoint, endpoint.serve, kinds[endpoint.serve.kind], shared)
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
        return {kept.name: kept.standing.served for kept in self._kept}
