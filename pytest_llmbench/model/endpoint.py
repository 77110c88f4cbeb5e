"""Whom we ask, and with which sampling parameters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pytest_llmbench.model.serving import Failure, Serve

DEFAULT_MAX_TOKENS = 16_384


@dataclass(frozen=True, slots=True)
class Sampling:
    """Sampling parameters; every one that is not None is sent explicitly, so that no server default decides."""

    temperature: float = 0.0
    """0 is greedy."""
    top_p: float = 1.0
    """Share of the probability mass that is drawn from; 1 is all of it."""
    max_tokens: int = DEFAULT_MAX_TOKENS
    """Upper bound of tokens generated, reasoning included."""
    seed: int | None = None
    """Of the server's sampler; null: not sent."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU of the server's machine."""

    name: str
    memory_bytes: int | None = None
    driver: str | None = None


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What is known of the server behind an endpoint; all of it but how its start went says what ran."""

    kind: str | None = None
    """Name of the server program; null if unknown."""
    version: str | None = None
    """As the server program tells it; null if unknown."""
    build: str | None = None
    """Commit or build number; null if unknown."""
    command: tuple[str, ...] | None = None
    """Words that started it, secrets redacted; null if somebody else did."""
    env: Mapping[str, str] | None = None
    """Variables set for it, secrets redacted; null if somebody else started it."""
    model: str | None = None
    """Weights as the server names them: an id or a path."""
    model_sha256: str | None = None
    """Hex SHA-256 of the model's file or files, where they lie on this machine."""
    chat_template_sha256: str | None = None
    """Hex SHA-256 of the chat template, where the server tells it."""
    context_tokens: int | None = None
    """Longest prompt and answer together."""
    quantisation: str | None = None
    gpus: tuple[Gpu, ...] | None = None
    """Of the server's machine, where it is this one; null if unknown."""
    load_s: float | None = None
    """Seconds from its start to its first answer."""
    memory_peak_bytes: int | None = None
    """Most memory that its processes held together; null if it is not ours."""
    metrics: Mapping[str, float] | None = None
    """Its own counters over the run, where it offers them."""
    log: str | None = None
    """Path of its log, relative to the run folder."""
    failure: Failure | None = None
    """Why it does not serve; null if it does, or did."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What can change the answers."""
        measured = ("load_s", "memory_peak_bytes", "metrics", "log", "failure")
        return {name: value for name, value in asdict(self).items() if name not in measured}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model to be judged. Decided once, before collection, and the same in every process of a run."""

    name: str
    """Unique in a run; the id that parametrises the tests."""
    url: str | None = None
    """Base URL up to and including `/v1`; None for a replay."""
    model: str | None = None
    """Model id as sent in the request; None for a replay that does not know."""
    replay: str | None = None
    """Absolute path of a folder with recorded answers; an empty string means the suites' own reference answers."""
    sampling: Sampling = field(default_factory=Sampling)
    api_key_env: str | None = None
    """Name of the environment variable that holds the API key. The key itself is in no record."""
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the request body, such as `chat_template_kwargs`; they win over the sampling fields."""
    server: ServerInfo = field(default_factory=ServerInfo)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Free notes of the owner: quantisation, tensor parallelism, …"""
    serve: Serve | None = None
    """A server to start for it; `url` and `model` are known once it is up."""
    problem: str | None = None
    """One line: why it could not be asked when the run began; its checks then end as `infra_error`."""

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 over all that can change the answers, not name or address: equal ones make runs comparable."""
        facts = {
            "model": self.model,
            "replay": self.replay,
            "sampling": asdict(self.sampling),
            "extra_body": dict(self.extra_body),
            "server": self.server.identity,
            "metadata": dict(self.metadata),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
