"""Specs to endpoints: names are looked up, models discovered, duplicates refused."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_llmbench.endpoints.config import Entry, load_models_file
from pytest_llmbench.endpoints.context import Context
from pytest_llmbench.endpoints.keys import check_key
from pytest_llmbench.endpoints.making import running, started
from pytest_llmbench.endpoints.replay import recorded_endpoint, recorded_endpoints
from pytest_llmbench.endpoints.shape import EndpointConfig
from pytest_llmbench.endpoints.spec import (
    CHOICES,
    NamedSpec,
    ReplaySpec,
    ServeSpec,
    Spec,
    UrlSpec,
    check_name,
    name_from,
    parse_spec,
    parse_url,
    typed,
)
from pytest_llmbench.endpoints.starting import serve_typed, to_serve
from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.servers.registry import kind_named

__all__ = ["DEFAULT_KEY_ENV", "Context", "resolve_all"]

DEFAULT_KEY_ENV = "LLMBENCH_API_KEY"


def resolve_all(texts: Sequence[str], context: Context) -> tuple[Endpoint, ...]:
    """Resolve every `--llm-endpoint`, in order.

    Raises:
        UsageFault: a bad spec, an unknown name, a duplicate, a malformed file, a model that must be chosen, a server
            that can never start.
    """
    endpoints: list[Endpoint] = []
    for text in texts:
        for endpoint in _resolve(parse_spec(text, context.kinds), context):
            if any(other.name == endpoint.name for other in endpoints):
                raise UsageFault(
                    f"{typed(text)}: there is already an endpoint named {endpoint.name!r}; "
                    f"give each its own with NAME=…"
                )
            endpoints.append(endpoint)
    return tuple(endpoints)


def _resolve(spec: Spec, context: Context) -> tuple[Endpoint, ...]:
    match spec:
        case UrlSpec():
            key_env = DEFAULT_KEY_ENV if context.environment.get(DEFAULT_KEY_ENV) else None
            config = EndpointConfig(url=spec.url, model=spec.model, api_key_env=key_env)
            return (running(config, spec, context),)
        case ServeSpec():
            return (_served(spec, context),)
        case ReplaySpec():
            return (_replay(spec, context),)
        case NamedSpec():
            return _named(spec, context)


def _served(spec: ServeSpec, context: Context) -> Endpoint:
    source = typed(f"{spec.kind}:{spec.served}")
    kind = context.kinds[spec.kind]
    config = serve_typed(kind, spec.served, source)
    serve = to_serve(config, kind, context.folder, source)
    name = spec.name or name_from(config.model or serve.args[0])
    return started(EndpointConfig(serve=config), name, serve, context)


def _named(spec: NamedSpec, context: Context) -> tuple[Endpoint, ...]:
    if not context.config.exists():
        raise UsageFault(
            f"--llm-endpoint={spec.name}: a name is looked up in {context.config}, which does not exist; "
            f"write it, name another with --llm-config, or use {CHOICES}"
        )
    models = load_models_file(context.config)
    entries = models.named(spec.name)
    if not entries:
        raise UsageFault(f"--llm-endpoint={spec.name}: not in {context.config}; {models.known(spec.name)}")
    return tuple(_from_file(entry, context) for entry in entries)


def _from_file(entry: Entry, context: Context) -> Endpoint:
    config = entry.config
    check_key(config.api_key_env, context.environment, str(entry.place("api_key_env")))
    if config.serve is not None:
        kind = kind_named(context.kinds, config.serve.kind or "", str(entry.place("serve", "kind")))
        serve = to_serve(config.serve, kind, context.config.absolute().parent, str(entry.place("serve")))
        return started(config, entry.name, serve, context)
    parsed = parse_url(config.url or "", str(entry.place("url")), entry.name)
    if config.kind is not None:
        kind_named(context.kinds, config.kind, str(entry.place("kind")))
    try:
        return running(config, parsed, context)
    except UsageFault as fault:
        raise UsageFault(f"{entry.place('url')}: {fault}") from fault


def _replay(spec: ReplaySpec, context: Context) -> Endpoint:
    folder = Path(os.path.expanduser(spec.folder)).absolute()  # noqa: PTH111 - takes `~nobody` as it is
    if not folder.is_dir():
        raise UsageFault(
            f"--llm-endpoint=replay:{spec.folder}: no such folder; it wants SUITE.md files or a run folder"
        )
    recorded = recorded_endpoints(folder)
    chosen = spec.recorded_endpoint
    if recorded and chosen is None and len(recorded) == 1:
        chosen = recorded[0]
    if recorded and chosen not in recorded:
        raise UsageFault(
            f"--llm-endpoint=replay:{spec.folder}: choose one of its endpoints with "
            f"replay:{spec.folder}#ENDPOINT: {', '.join(recorded)}"
        )
    place = folder / "completions" / chosen if recorded and chosen else folder
    name = spec.name or check_name(name_from(chosen or folder.name), f"replay:{spec.folder}")
    asked = recorded_endpoint(folder, chosen) if recorded and chosen else None
    return replace(asked, name=name) if asked else Endpoint(name=name, replay=str(place), sampling=context.sampling)
