"""An endpoint of what was asked for: a server that is running, or one that is to be started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from pytest_llmbench.endpoints.context import Context
from pytest_llmbench.endpoints.keys import read_key
from pytest_llmbench.endpoints.shape import EndpointConfig, SamplingConfig
from pytest_llmbench.endpoints.spec import UrlSpec, name_from
from pytest_llmbench.errors import EndpointError, UsageFault
from pytest_llmbench.model.endpoint import Endpoint, Sampling, ServerInfo
from pytest_llmbench.model.serving import Serve


def running(config: EndpointConfig, at: UrlSpec, context: Context) -> Endpoint:
    """Make the endpoint of a server that is running; its model is asked for unless it is named.

    Args:
        config: all but where it is.
        at: where it is; its name is made of the model, if it has none.
        context: of the run.

    Raises:
        UsageFault: a model that must be chosen.
    """
    model, problem = config.model or at.model, None
    if model is None:
        try:
            model = _choose_model(at.url, context.discover(at.url, read_key(config.api_key_env, context.environment)))
        except EndpointError as error:
            problem = str(error)
    endpoint = _endpoint(config, at.name or name_from(model or urlsplit(at.url).netloc), config.kind, context)
    return replace(endpoint, url=at.url, model=model, problem=problem)


def started(config: EndpointConfig, name: str, serve: Serve, context: Context) -> Endpoint:
    """Make the endpoint of a server to start; its URL is known once it is up."""
    return replace(_endpoint(config, name, serve.kind, context), serve=serve)


def _endpoint(config: EndpointConfig, name: str, kind: str | None, context: Context) -> Endpoint:
    """Make what the two have in common."""
    return Endpoint(
        name=name,
        model=config.model,
        sampling=_sampling(config.sampling, context.sampling),
        api_key_env=config.api_key_env,
        extra_body=config.body,
        context_tokens=config.context_tokens,
        server=ServerInfo(kind=kind),
        metadata=config.metadata,
    )


def _sampling(asked: SamplingConfig, fallback: Sampling) -> Sampling:
    return Sampling(
        temperature=fallback.temperature if asked.temperature is None else asked.temperature,
        top_p=asked.top_p,
        max_tokens=fallback.max_tokens if asked.max_tokens is None else asked.max_tokens,
        seed=asked.seed,
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
