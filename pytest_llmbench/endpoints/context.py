"""All that the meaning of a spec depends on besides its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_llmbench.model.endpoint import Sampling
from pytest_llmbench.servers import registry
from pytest_llmbench.servers.kind import ServerKind

Discover = Callable[[str, str | None], Sequence[str]]
"""(base URL, API key) -> ids of the models served; raises EndpointError."""


@dataclass(frozen=True, slots=True)
class Context:
    """What else is known when `--llm-endpoint` is read."""

    sampling: Sampling
    """From the command line; an entry of models.yaml wins over it."""
    config: Path
    """Path of models.yaml; read only when a name asks for it."""
    environment: Mapping[str, str]
    discover: Discover
    kinds: Mapping[str, ServerKind] = field(default_factory=registry.kinds)
    """Servers that can be started, by name."""
    folder: Path = field(default_factory=Path.cwd)
    """Where relative paths of the command line begin; those of models.yaml begin at its folder."""
