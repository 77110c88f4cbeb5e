"""What runs: all that is known of a server that we started, once it is up. Nothing here raises."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.endpoint import ServerInfo
from pytest_llmbench.model.identity import steers
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.provision.asking import ask_json, ask_text
from pytest_llmbench.provision.beforehand import Beforehand, environment, local_model, sound
from pytest_llmbench.provision.gpus import gpus_of
from pytest_llmbench.provision.hashes import model_sha256
from pytest_llmbench.provision.quantisation import quantisation_of
from pytest_llmbench.provision.redaction import redact_env, redact_words, secrets_in, secrets_in_words
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, quantisation_named
from pytest_llmbench.servers.metrics import Counters, read_metrics

PORT = "{port}"
_OTHER_PORTS = (65_533, 65_534)
_ELSEWHERE = frozenset({"ssh", "autossh", "kubectl", "srun"})
"""Programs by which a server is started on another machine."""


def what_runs(begun: Beforehand, root_url: str, *, api_key: str | None = None) -> ServerInfo:
    """Return what is known of a server that is up; how its start went is the caller's to add.

    Args:
        begun: what was asked for and started, and what could be found out since then.
        root_url: where it answers, without a path.
        api_key: the server may want it; nothing of it is written down.
    """
    kind, serve, launch = begun.kind, begun.serve, begun.launch
    facts = facts_of(kind, lambda path: ask_json(root_url + path, api_key), serve)
    if facts.version is None:
        facts = _merged(facts, begun.version())
    model = facts.model or serve.model
    path = local_model(model, launch, serve) or begun.path
    digest = begun.sha256() if path is None or path == begun.path else model_sha256(path)
    env = environment(launch, serve)
    secrets = (*secrets_in(env), *secrets_in_words(launch.argv), *([api_key] if api_key else ()))
    argv, own = _without_port(kind, serve, launch, urlsplit(root_url).port)
    inherited = {name: value for name, value in os.environ.items() if steers(name)}
    return ServerInfo(
        kind=kind.name,
        command=redact_words(argv, secrets),
        env=redact_env({**inherited, **own, **serve.env}, secrets),
        model_sha256=digest,
        quantisation=facts.quantisation or quantisation_of(path) or quantisation_named(model),
        gpus=None if PurePath(launch.argv[0]).name in _ELSEWHERE else gpus_of(env),
        **plain(facts, model),
    )


def counters(kind: ServerKind, root_url: str, api_key: str | None = None) -> Counters | None:
    """Return what a server that we started has counted so far; None if it does not tell."""
    page = ask_text(root_url + kind.metrics_path, api_key) if kind.metrics_path else None
    return None if page is None else read_metrics(page)


def facts_of(kind: ServerKind, ask: Callable[[str], Any | None], serve: Serve | None = None) -> Facts:
    """Return what a server says of itself.

    Args:
        kind: of the server.
        ask: takes a path on its root and returns the JSON there; None if there is none.
        serve: what it was started with; None if somebody else did.
    """
    answers = {path: answer for path in kind.fact_paths if (answer := ask(path)) is not None}
    return sound(lambda: kind.read_facts(answers, serve))


def plain(facts: Facts, model: str | None) -> dict[str, Any]:
    """Return the fields of `ServerInfo` that are taken from the facts as they are."""
    template = facts.chat_template
    return {
        "version": facts.version,
        "build": facts.build,
        "model": model,
        "context_tokens": facts.context_tokens,
        "chat_template_sha256": template and hashlib.sha256(template.encode("utf-8", "replace")).hexdigest(),
    }


def _merged(first: Facts, second: Facts) -> Facts:
    pairs = {each.name: (getattr(first, each.name), getattr(second, each.name)) for each in fields(Facts)}
    return Facts(**{name: other if one is None else one for name, (one, other) in pairs.items()})


def _without_port(
    kind: ServerKind, serve: Serve, launch: Launch, port: int | None
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Return words and variables with `{port}` for the port; a launch on another port shows which ones have it."""
    other_port = next(each for each in _OTHER_PORTS if each != port)
    try:
        other = kind.launch(serve, other_port)
    except UsageFault:
        return launch.argv, launch.env
    if len(other.argv) != len(launch.argv):
        return launch.argv, launch.env
    argv = tuple(_placed(*pair, port) for pair in zip(launch.argv, other.argv, strict=True))
    return argv, {name: _placed(value, other.env.get(name, value), port) for name, value in launch.env.items()}


def _placed(word: str, other: str, port: int | None) -> str:
    return word if word == other else word.replace(str(port), PORT)
