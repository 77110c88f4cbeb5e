"""Specs to endpoints: names are looked up, models discovered, duplicates refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from pytest_llmbench.endpoints.config import EndpointConfig, ModelsFile, load_models_file
from pytest_llmbench.endpoints.replay import recorded_endpoints
from pytest_llmbench.endpoints.spec import (
    CHOICES,
    NamedSpec,
    ReplaySpec,
    Spec,
    UrlSpec,
    check_name,
    name_from,
    parse_spec,
    parse_url,
)
from pytest_llmbench.errors import EndpointError, UsageFault
from pytest_llmbench.model.endpoint import Endpoint, Sampling

DEFAULT_KEY_ENV = "LLMBENCH_API_KEY"

Discover = Callable[[str, str | None], Sequence[str]]
"""(base URL, API key) -> ids of the models served; raises EndpointError."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that the meaning of a spec depends on besides its text."""

    sampling: Sampling
    """From the command line; an entry of models.yaml wins over it."""
    config: Path
    """Path of models.yaml; read only when a name asks for it."""
    environment: Mapping[str, str]
    discover: Discover


def resolve_all(texts: Sequence[str], context: Context) -> tuple[Endpoint, ...]:
    """Resolve every `--llm-endpoint`, in order.

    Raises:
        UsageFault: a bad spec, an unknown name, a duplicate, a malformed file, a model that must be chosen.
    """
    endpoints: list[Endpoint] = []
    for text in texts:
        endpoint = _resolve(parse_spec(text), context)
        if any(other.name == endpoint.name for other in endpoints):
            raise UsageFault(
                f"--llm-endpoint={text}: there is already an endpoint named {endpoint.name!r}; "
                f"give each its own with NAME=…"
            )
        endpoints.append(endpoint)
    return tuple(endpoints)


def _resolve(spec: Spec, context: Context) -> Endpoint:
    match spec:
        case UrlSpec():
            key_env = DEFAULT_KEY_ENV if context.environment.get(DEFAULT_KEY_ENV) else None
            return _http(EndpointConfig(url=spec.url, model=spec.model, api_key_env=key_env), spec.name, context)
        case ReplaySpec():
            return _replay(spec, context)
        case NamedSpec():
            return _named(spec, context)


def _named(spec: NamedSpec, context: Context) -> Endpoint:
    if not context.config.exists():
        raise UsageFault(
            f"--llm-endpoint={spec.name}: a name is looked up in {context.config}, which does not exist; "
            f"write it, name another with --llm-config, or use {CHOICES}"
        )
    models: ModelsFile = load_models_file(context.config)
    config = models.endpoints.get(spec.name)
    if config is None:
        known = ", ".join(models.endpoints) or "none"
        raise UsageFault(f"--llm-endpoint={spec.name}: not in {context.config}; it has: {known}")
    parsed = parse_url(config.url, f"{context.config}: endpoints.{spec.name}.url")
    return _http(
        msgspec.structs.replace(config, url=parsed.url, model=config.model or parsed.model), spec.name, context
    )


def _http(config: EndpointConfig, name: str | None, context: Context) -> Endpoint:
    key = None
    if config.api_key_env is not None:
        key = context.environment.get(config.api_key_env)
        if not key:
            raise UsageFault(
                f"{config.url}: the environment variable {config.api_key_env}, its api_key_env, is not set"
            )
    model, problem = config.model, None
    if model is None:
        try:
            model = _choose_model(config.url, context.discover(config.url, key))
        except EndpointError as error:
            problem = str(error)
    sampling = context.sampling
    asked = config.sampling
    return Endpoint(
        name=name or name_from(model or urlsplit(config.url).netloc),
        url=config.url,
        model=model,
        sampling=Sampling(
            temperature=sampling.temperature if asked.temperature is None else asked.temperature,
            top_p=asked.top_p,
            max_tokens=sampling.max_tokens if asked.max_tokens is None else asked.max_tokens,
            seed=asked.seed,
        ),
        api_key_env=config.api_key_env,
        extra_body=config.body,
        metadata=config.metadata,
        problem=problem,
    )


def _choose_model(url: str, models: Sequence[str]) -> str:
    if len(models) == 1:
        return models[0]
    if not models:
        raise EndpointError(f"{url}/models lists no model; load one, or choose it with {url}#MODEL")
    raise UsageFault(
        f"{url} serves {len(models)} models; choose one with --llm-endpoint={url}#MODEL or 'model:' in models.yaml: "
        + ", ".join(models)
    )


def _replay(spec: ReplaySpec, context: Context) -> Endpoint:
    folder = Path(spec.folder).absolute()
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
    return Endpoint(name=name, replay=str(place), sampling=context.sampling)
