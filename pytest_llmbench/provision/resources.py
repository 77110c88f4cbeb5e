"""Who may use a GPU, or whatever servers share: one at a time, the first in the user's order first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

POLL_S = 0.05
SETTLE_S = 0.2
"""For wishes that came at the same time to become known, so that their order is the user's and not chance's."""


class Resources:
    """All that servers hold and wait for; shared by the threads that own a server each."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[int, frozenset[str]] = {}
        self._waiting: dict[int, frozenset[str]] = {}

    def take(self, rank: int, names: Collection[str], is_wanted: Callable[[], bool]) -> bool:
        """Wait until all of `names` are free and nobody with a lower rank waits for one of them, then hold them.

        Args:
            rank: place of the server in the user's order; names it.
            names: what it needs, all at once.
            is_wanted: asked now and then; if it says no, the wait is given up.

        Returns:
            Whether they are held.
        """
        needed = frozenset(names)
        with self._changed:
            self._waiting[rank] = needed
            settled_s = time.monotonic() + SETTLE_S
            try:
                while time.monotonic() < settled_s or not self._is_free(rank, needed):
                    if not is_wanted():
                        return False
                    self._changed.wait(POLL_S)
                self._held[rank] = needed
            finally:
                del self._waiting[rank]
                self._changed.notify_all()
        return True

    def release(self, rank: int) -> None:
        """Give back what the server holds."""
        with self._changed:
            self._held.pop(rank, None)
            self._changed.notify_all()

    def is_contended(self, rank: int) -> bool:
        """Whether another server waits for something that this one holds."""
        with self._changed:
            mine = self._held.get(rank, frozenset())
            return any(mine & needed for needed in self._waiting.values())

    def _is_free(self, rank: int, needed: frozenset[str]) -> bool:
        earlier = (names for other, names in self._waiting.items() if other < rank)
        return not any(needed & names for names in (*self._held.values(), *earlier))
