"""What of an endpoint may be written down: everything but its secrets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.identity import REDACTED
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.provision.redaction import (
    MIN_SECRET,
    is_secret,
    redact_env,
    redact_text,
    redact_words,
    secrets_in,
    secrets_in_words,
)

_HEADERS = {"authorization", "proxy-authorization", "cookie"}


def secrets_of(endpoint: Endpoint, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets that an endpoint is known to hold, to be looked for wherever else they may stand."""
    found = {environment.get(endpoint.api_key_env or "", ""), *_secrets_in_tree(endpoint.extra_body)}
    if endpoint.serve is not None:
        words = (*endpoint.serve.program, *endpoint.serve.args)
        found |= {*secrets_in(endpoint.serve.env), *secrets_in_words(words)}
    return tuple(secret for secret in found if len(secret) >= MIN_SECRET)


def without_secrets(endpoint: Endpoint, environment: Mapping[str, str]) -> Endpoint:
    """Return the endpoint as it may stand in a file; `<redacted>` stands for each secret."""
    secrets = secrets_of(endpoint, environment)
    return replace(
        endpoint,
        url=None if endpoint.url is None else redact_text(endpoint.url, secrets),
        extra_body=redact_tree(endpoint.extra_body, secrets),
        metadata=redact_tree(endpoint.metadata, secrets),
        problem=None if endpoint.problem is None else redact_text(endpoint.problem, secrets),
        serve=None if endpoint.serve is None else _serve(endpoint.serve, secrets),
    )


def holds_redacted(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the names of the fields without which an endpoint that was written down cannot be asked again."""
    serve = endpoint.serve
    fields = {
        "url": endpoint.url,
        "extra_body": endpoint.extra_body,
        "serve": None if serve is None else (serve.program, serve.args, list(serve.env.items())),
    }
    return tuple(name for name, value in fields.items() if REDACTED in str(value))


def redact_tree(value: Any, secrets: Collection[str]) -> Any:
    """Return JSON with its secrets taken out: what stands under a name like `api_key`, and all that is known or shaped so."""
    match value:
        case str():
            return redact_text(value, secrets)
        case Mapping():
            return {
                name: REDACTED if _is_hidden(name, inner) else redact_tree(inner, secrets)
                for name, inner in value.items()
            }
        case list() | tuple():
            return [redact_tree(inner, secrets) for inner in value]
        case _:
            return value


def shown_command(words: Iterable[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words of our own command line as they may stand in a file."""
    secrets = secrets_in(environment)
    # A server's command line may be one word of ours, with its keys in it.
    return tuple(" ".join(redact_words(word.split(" "), secrets)) for word in words)


def hush(text: str, secrets: Collection[str]) -> str:
    """Return a text without these secrets, and without what can be told to be one by its shape."""
    return redact_text(text, secrets)


def _is_hidden(name: Any, value: Any) -> bool:
    """Whether a name says that its value is a secret: as options do, or as headers do."""
    named = isinstance(name, str) and (is_secret(name) or name.lower() in _HEADERS)
    return named and isinstance(value, str) and bool(value)


def _secrets_in_tree(value: Any) -> set[str]:
    match value:
        case Mapping():
            own = {inner for name, inner in value.items() if _is_hidden(name, inner)}
            # Of `Bearer KEY` a server may repeat the key alone.
            own |= {word for inner in own for word in inner.split()[-1:]}
            return own.union(*map(_secrets_in_tree, value.values()))
        case list() | tuple():
            return set().union(*map(_secrets_in_tree, value))
        case _:
            return set()


def _serve(serve: Serve, secrets: Collection[str]) -> Serve:
    words = redact_words((*serve.program, *serve.args), secrets)
    count = len(serve.program)
    return replace(serve, program=words[:count], args=words[count:], env=redact_env(serve.env, secrets))
