"""What a server counted while this run asked it, over all its starts."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_llmbench.provision.facts import counters
from pytest_llmbench.servers.kind import ServerKind
from pytest_llmbench.servers.metrics import Counters, figures, over_run, together


class Tally:
    """Its counters now less its counters then."""

    def __init__(self, kind: ServerKind, api_key: str | None) -> None:
        self._kind = kind
        self._api_key = api_key
        self._root = ""
        self._before: Counters | None = None
        self._sum: Counters | None = None

    def begin(self, root_url: str) -> None:
        """Read the counters of a server that has come up."""
        self._root = root_url
        self._before = counters(self._kind, root_url, self._api_key)

    def end(self) -> None:
        """Read them again, before it is stopped; one that died has told nothing."""
        after = counters(self._kind, self._root, self._api_key) if self._before is not None else None
        if self._before is not None and after is not None:
            grown = over_run(self._before, after)
            self._sum = grown if self._sum is None else together(self._sum, grown)

    @property
    def figures(self) -> Mapping[str, float] | None:
        """As the report has them; None where nothing was told."""
        return (figures(self._sum) or None) if self._sum is not None else None
