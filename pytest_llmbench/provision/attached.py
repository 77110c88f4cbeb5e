"""What is known of a server that somebody else started. Nothing here raises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pytest_llmbench.model.endpoint import ServerInfo
from pytest_llmbench.provision.asking import ask_json
from pytest_llmbench.provision.facts import facts_of, plain
from pytest_llmbench.provision.files import find_model
from pytest_llmbench.provision.gpus import ORDER, VISIBLE, gpus_of
from pytest_llmbench.provision.hashes import model_sha256
from pytest_llmbench.provision.here import find_here
from pytest_llmbench.provision.quantisation import quantisation_of
from pytest_llmbench.servers.kind import ServerKind, quantisation_named

_MODELS = "/models"


def what_is_there(
    url: str, kinds: Mapping[str, ServerKind], said: str | None = None, *, api_key: str | None = None
) -> ServerInfo:
    """Return what is known of a server.

    Args:
        url: base URL of its API, up to and including `/v1`.
        kinds: that it may be of; told by `owned_by` in its list of models.
        said: name of the kind that its user takes it for.
        api_key: sent as bearer token.
    """
    here = find_here(url)
    gpus = None if here is None else gpus_of({name: here.env[name] for name in (VISIBLE, ORDER) if name in here.env})

    def ask(address: str) -> Any | None:
        return ask_json(address, api_key, by_proxy=here is None)

    models = ask(url.rstrip("/") + _MODELS)
    kind = _kind_of(models, kinds, said)
    if kind is None:
        return ServerInfo(gpus=gpus)
    root, listed = root_of(url, kind), kind.api_path + _MODELS
    facts = facts_of(kind, lambda path: models if path == listed else ask(root + path))
    # An id says nothing of where this server has its files; a path does, if it is on this machine.
    is_path = facts.model is not None and PurePath(facts.model).is_absolute()
    path = find_model(facts.model, Path(), {}) if here and is_path and facts.model else None
    return ServerInfo(
        kind=kind.name,
        model_sha256=None if path is None else model_sha256(path),
        quantisation=facts.quantisation or quantisation_of(path) or quantisation_named(facts.model),
        gpus=gpus,
        **plain(facts, facts.model),
    )


def _kind_of(models: Any, kinds: Mapping[str, ServerKind], said: str | None) -> ServerKind | None:
    """Some kinds cannot be told from outside, so the user's word counts unless the server contradicts it."""
    cards = models.get("data") if isinstance(models, dict) else None
    owners = (
        {str(card.get("owned_by")) for card in cards if isinstance(card, dict)} if isinstance(cards, list) else set()
    )
    seen = next((kind for kind in kinds.values() if not owners.isdisjoint(kind.owned_by)), None)
    likely = kinds.get(said or "")
    if likely is None:
        return seen
    is_contradicted = seen is not None and likely.owned_by and owners.isdisjoint(likely.owned_by)
    return seen if is_contradicted else likely


def root_of(url: str, kind: ServerKind) -> str:
    """Return the URL without a path of a server of which the base URL of its API is known."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix(kind.api_path.rstrip("/"))
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")).rstrip("/")
