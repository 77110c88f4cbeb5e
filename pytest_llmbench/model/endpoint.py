"""Whom we ask, and with which sampling parameters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePath
from typing import Any

from pytest_llmbench.model.identity import steering_env, steering_words
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
    """As its driver calls it."""
    memory_bytes: int | None = None
    """All of it, in use or not."""
    driver: str | None = None
    """Version of the driver."""


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
    """Words that started it, secrets redacted, `{port}` for its port; null if somebody else did."""
    env: Mapping[str, str] | None = None
    """Variables set for it, and inherited ones that steer servers; redacted like the command; null as there."""
    model: str | None = None
    """Weights as the server names them: an id or a path."""
    model_sha256: str | None = None
    """Of the model's files, where they lie on this machine: hex SHA-256 of the file; of a folder that of the lines that
    `sha256sum` prints of its files, by name. `sampled:` stands before that of so many bytes that only some were read."""
    chat_template_sha256: str | None = None
    """Hex SHA-256 of the chat template, where the server tells it."""
    context_tokens: int | None = None
    """Longest prompt and answer together."""
    quantisation: str | None = None
    """Of the weights: as the server tells, else its flags, the model's files or its name."""
    gpus: tuple[Gpu, ...] | None = None
    """Of the server's machine, where it is this one; null if unknown."""
    load_s: float | None = None
    """Seconds from its start to its first answer."""
    memory_peak_bytes: int | None = None
    """Most memory that its processes held together; null if it is not ours."""
    metrics: Mapping[str, float] | None = None
    """Its own counters over the time that it was up in this run, where it offers them; other clients' requests count."""
    log: str | None = None
    """Path of its log, relative to the run folder."""
    failure: Failure | None = None
    """Why it does not serve; null if it does, or did."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What can change the answers; not where it listened and logged, nor, where its bytes are known, the model's path."""
        measured = ("load_s", "memory_peak_bytes", "metrics", "log", "failure")
        found = {name: value for name, value in asdict(self).items() if name not in measured}
        known = {} if self.model_sha256 is None or self.model is None else {self.model: "{model}"}
        if self.command is not None:
            found["command"] = tuple(known.get(word, word) for word in steering_words(self.command))
        if self.env is not None:
            found["env"] = steering_env(self.env)
        return found | ({"model": None} if known else {})


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
    context_tokens: int | None = None
    """Longest prompt and answer together, as the owner says; None: what the server tells."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that can change the answers; not its name or address."""
        path = self.server.model
        # An id that is only the path of the model says no more than the hash of what lies there.
        is_path = (
            self.server.model_sha256 is not None and path is not None and self.model in {path, PurePath(path).name}
        )
        return {
            "model": None if is_path else self.model,
            "replay": self.replay,
            "sampling": asdict(self.sampling),
            "extra_body": dict(self.extra_body),
            "server": self.server.identity,
            "metadata": dict(self.metadata),
        }

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 over its identity: equal ones make runs comparable."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True, default=str).encode()).hexdigest()
