"""A server that somebody else started: what it is, and what it counts while this run asks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from pytest_llmbench.endpoints.keys import read_key
from pytest_llmbench.model.endpoint import Endpoint, ServerInfo
from pytest_llmbench.provision.attached import root_of, what_is_there
from pytest_llmbench.provision.tally import Tally
from pytest_llmbench.servers.kind import ServerKind


class Neighbour:
    """Asked beside the first answers, so that nobody waits for what it tells of itself."""

    def __init__(self, endpoint: Endpoint, kinds: Mapping[str, ServerKind], tell: Callable[[str], None]) -> None:
        """Begin to look; `tell` takes lines for the user, from another thread."""
        self._endpoint = endpoint
        self._kinds = kinds
        self._tell = tell
        self._tally: Tally | None = None
        self._pool = ThreadPoolExecutor(1, f"llmbench-{endpoint.name}")
        self._looking = self._pool.submit(self._look)

    @property
    def name(self) -> str:
        """Of the endpoint."""
        return self._endpoint.name

    @property
    def known(self) -> Endpoint:
        """The endpoint with what its server has told so far."""
        if not self._looking.done() or self._looking.exception() is not None:
            return self._endpoint
        return replace(self._endpoint, server=self._looking.result())

    def leave(self) -> Endpoint:
        """Return the endpoint with what is known of its server now."""
        info = self._looking.result()
        self._pool.shutdown()
        if self._tally is not None:
            self._tally.end()
            info = replace(info, metrics=self._tally.figures)
        return replace(self._endpoint, server=info)

    def _look(self) -> ServerInfo:
        url, said = self._endpoint.url, self._endpoint.server.kind
        assert url is not None  # noqa: S101 - for the type checker; others are no neighbours
        key = read_key(self._endpoint.api_key_env)
        info = what_is_there(url, self._kinds, said, api_key=key)
        if said is not None and info.kind != said:
            self._tell(f"{self.name}: said to be {said}, but its list of models is that of {info.kind}: taken for that")
        if (kind := self._kinds.get(info.kind or "")) is not None:
            self._tally = Tally(kind, key)
            self._tally.begin(root_of(url, kind))
        return info
