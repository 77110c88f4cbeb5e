"""What a kind of server has to say of itself."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.serving import Cause, Serve


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """On top of ours; `Serve.env` wins over it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A line of a log that tells why a server does not come up."""

    cause: Cause
    pattern: re.Pattern[str]
    """Searched in each line of the log."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server says of itself; None where it does not."""

    version: str | None = None
    build: str | None = None
    """Commit or build number."""
    model: str | None = None
    """Id, path or name of the weights, as it knows them."""
    context_tokens: int | None = None
    """Of one request, not of all slots together."""
    quantisation: str | None = None
    chat_template: str | None = None


class ServerKind(ABC):
    """One kind of server. Pure: argv and paths out, texts in."""

    name: ClassVar[str]
    """As in `serve: {kind: …}` and `--llm-endpoint=KIND:MODEL`."""
    health_path: ClassVar[str] = "/health"
    """On the server's root; anything but 200 means that it is not up yet."""
    api_path: ClassVar[str] = "/v1"
    """Of the OpenAI API, on the server's root."""
    owned_by: ClassVar[tuple[str, ...]] = ()
    """What stands under `owned_by` in its list of models: how a server is known that somebody else started."""
    fact_paths: ClassVar[tuple[str, ...]] = ()
    """Paths on the root that answer with JSON about the server; asked when it is ready."""
    metrics_path: ClassVar[str | None] = None
    """Of its Prometheus metrics, on the root; None if it has none."""
    signatures: ClassVar[tuple[Signature, ...]] = ()
    """On top of `signatures.COMMON`."""

    @abstractmethod
    def launch(self, serve: Serve, port: int) -> Launch:
        """Return what to start so that `serve.model` is served on `serve.host`:`port`.

        Raises:
            UsageFault: such a server cannot be started, or not with that.
        """

    def version_argv(self, serve: Serve) -> tuple[str, ...] | None:
        """Return what prints the version; None if nothing does."""
        del serve
        return None

    def read_version(self, printed: str) -> Facts:
        """Read what `version_argv` printed."""
        del printed
        return Facts()

    def read_facts(self, answers: Mapping[str, Any]) -> Facts:
        """Read what the server answered.

        Args:
            answers: path, one of `fact_paths` -> JSON; a path that gave no JSON is absent.
        """
        del answers
        return Facts()

    def wanted_model(self, serve: Serve) -> str | None:
        """Return the id under which it will serve the model, if that is known beforehand."""
        del serve
        return None


def only_attach(kind: str, how: str) -> UsageFault:
    """Return what to raise where a server of this kind cannot be started by us."""
    return UsageFault(f"{kind}: cannot be started from here; {how}, then name its URL")
