"""The grammar of `--llm-endpoint`: text in, a spec out; no I/O."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from pytest_llmbench.errors import UsageFault

CHOICES = (
    "[NAME=]http://HOST:PORT/v1[#MODEL], [NAME=]KIND:MODEL, [NAME=]replay:DIR[#ENDPOINT] or a name from models.yaml"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_LONGEST_NAME = 100
"""Files are called after it, and a file system takes 255 bytes with what comes before and behind."""
_SAMPLE_SUFFIX = re.compile(r"-s[0-9]+$")
_PRIVATE = (r"(:(?://)?).*(?=@)", r"(\?).*", r"(\s).*", r"(:[^=]*=).*")
"""Behind each group a secret may stand: in front of a host, in a query, in further words of a command, in a variable."""


@dataclass(frozen=True, slots=True)
class UrlSpec:
    """A server that is already running."""

    url: str
    """Up to and including `/v1`, without a trailing slash."""
    name: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class ReplaySpec:
    """Recorded answers."""

    folder: str
    name: str | None = None
    recorded_endpoint: str | None = None
    """Which endpoint of an earlier run's folder."""


@dataclass(frozen=True, slots=True)
class ServeSpec:
    """A server to start."""

    kind: str
    served: str
    """What stands behind the colon: a model, or the words of a command."""
    name: str | None = None


@dataclass(frozen=True, slots=True)
class NamedSpec:
    """A name from models.yaml."""

    name: str


Spec = UrlSpec | ServeSpec | ReplaySpec | NamedSpec


def parse_spec(text: str, kinds: Collection[str]) -> Spec:
    """Read one `--llm-endpoint`.

    Args:
        text: as it was typed.
        kinds: names of the server kinds.

    Raises:
        UsageFault: it has none of the forms that `CHOICES` names.
    """
    name, value, source = *_split_name(text), typed(text)
    if value.startswith(("http://", "https://")):
        return parse_url(value, source, name)
    if value.startswith("replay:"):
        folder, _, recorded = value.removeprefix("replay:").partition("#")
        if not folder:
            raise UsageFault(f"{source}: replay: wants a folder; use {CHOICES}")
        return ReplaySpec(folder, name, recorded or None)
    kind, colon, served = value.partition(":")
    if colon and _NAME.fullmatch(kind) and not served.startswith("//"):
        if kind not in kinds:
            known = ", ".join(sorted(kinds))
            raise UsageFault(f"{source}: no server kind {kind!r}; there are {known}; or use {CHOICES}")
        if not served.strip():
            raise UsageFault(f"{source}: {kind}: wants a model; use {CHOICES}")
        return ServeSpec(kind, served, name)
    if name is None and _NAME.fullmatch(value):
        return NamedSpec(value)
    raise UsageFault(f"{source}: not an endpoint; use {CHOICES}")


def typed(text: str) -> str:
    """Return what to call an `--llm-endpoint` in messages: without the parts that may hold a secret."""
    for private in _PRIVATE:
        text = re.sub(private, r"\1…", text, flags=re.DOTALL)
    return f"--llm-endpoint={text}"


def check_name(name: str, source: str) -> str:
    """Return `name` if it can stand in a test id.

    Raises:
        UsageFault: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise UsageFault(f"{source}: bad endpoint name {name!r}; use letters, digits, '.', '_', '+', '-'")
    if len(name) > _LONGEST_NAME:
        raise UsageFault(f"{source}: wanted an endpoint name of at most {_LONGEST_NAME} characters, got {len(name)}")
    if _SAMPLE_SUFFIX.search(name):
        raise UsageFault(f"{source}: an endpoint name cannot end in '-s<number>', which marks samples; got {name!r}")
    return name


def name_from(text: str) -> str:
    """Make an endpoint name of a model id, a path or an address."""
    base = text.rstrip("/").rsplit("/", 1)[-1]
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", base).strip("-._+")[:_LONGEST_NAME] or "endpoint"
    return _SAMPLE_SUFFIX.sub(lambda match: match.group().replace("-s", "_s"), name)


def _split_name(text: str) -> tuple[str | None, str]:
    head, equals, tail = text.partition("=")
    # A "=" may also belong to a URL's query or to a folder's name: a name holds neither ":" nor "/".
    if not equals or ":" in head or "/" in head:
        return None, text
    return check_name(head, typed(text)), tail


def parse_url(value: str, source: str, name: str | None = None) -> UrlSpec:
    """Read `http://HOST:PORT/v1[#MODEL]`.

    Args:
        value: the text.
        source: where it stands, for messages.
        name: of the endpoint, if it was given.

    Raises:
        UsageFault: it is no such URL, or it carries a secret.
    """
    url, _, model = value.partition("#")
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        # The error may quote a password: what follows a slash in one is taken for a path, what precedes it for a port.
        raise UsageFault(f"{source}: bad URL: wanted http://HOST:PORT/v1 with a port of at most 65535") from error
    if parts.scheme not in ("http", "https"):
        raise UsageFault(f"{source}: wanted a URL that begins with http:// or https://, such as http://HOST:PORT/v1")
    if not host:
        raise UsageFault(f"{source}: the URL has no host; wanted http://HOST:PORT/v1")
    if parts.username or parts.password or parts.query:
        raise UsageFault(
            f"{source}: a password or query in the URL would end up in reports; "
            "name the variable that holds the key as api_key_env in models.yaml"
        )
    return UrlSpec(url.rstrip("/"), name, model or None)
