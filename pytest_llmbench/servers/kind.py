"""What a kind of server has to say of itself, and how it reads the user's words and the server's answers."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.serving import Cause, Serve


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """On top of ours; `Serve.env` wins over it."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A line of a log that tells why a server does not come up."""

    cause: Cause
    pattern: re.Pattern[str]
    """Searched in each line of the log."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server says of itself; None where it does not."""

    version: str | None = None
    build: str | None = None
    """Commit or build number."""
    model: str | None = None
    """Id, path or name of the weights, as it knows them; `NAME@DIGEST` where it tells which ones exactly."""
    context_tokens: int | None = None
    """Of one request, not of all slots together."""
    quantisation: str | None = None
    chat_template: str | None = None


class ServerKind(ABC):
    """One kind of server. Pure: argv and paths out, texts in."""

    name: ClassVar[str]
    """As in `serve: {kind: …}` and `--llm-endpoint=KIND:MODEL`."""
    program: ClassVar[tuple[str, ...]] = ()
    """The first words of its command line, unless `Serve.program` says otherwise."""
    keys: ClassVar[Mapping[str, str]] = {}
    """Flags and variables of the server that say what a key of `serve` says -> that key; no user may give them."""
    health_path: ClassVar[str] = "/health"
    """On the server's root; anything but 200 means that it is not up yet."""
    api_path: ClassVar[str] = "/v1"
    """Of the OpenAI API, on the server's root."""
    owned_by: ClassVar[tuple[str, ...]] = ()
    """What stands under `owned_by` in its list of models: how a server is known that somebody else started."""
    fact_paths: ClassVar[tuple[str, ...]] = ()
    """Paths on the root that answer a GET with JSON about the server; asked when it is ready."""
    metrics_path: ClassVar[str | None] = None
    """Of its Prometheus metrics, on the root; None if it has none."""
    signatures: ClassVar[tuple[Signature, ...]] = ()
    """On top of `signatures.COMMON`."""

    @abstractmethod
    def launch(self, serve: Serve, port: int) -> Launch:
        """Return what to start so that `serve.model` is served on `serve.host`:`port`.

        Raises:
            UsageFault: such a server cannot be started, or not with that.
        """

    def version_argv(self, serve: Serve) -> tuple[str, ...] | None:
        """Return what prints the version; None if nothing does, or if the server itself tells it."""
        del serve
        return None

    def read_version(self, printed: str) -> Facts:
        """Read what `version_argv` printed, on its standard output and error together."""
        del printed
        return Facts()

    def read_facts(self, answers: Mapping[str, Any], serve: Serve | None = None) -> Facts:
        """Read what the server answered.

        Args:
            answers: path, one of `fact_paths` -> JSON; a path that gave no JSON is absent.
            serve: what it was started with; None if somebody else did.
        """
        del answers, serve
        return Facts()

    def wanted_model(self, serve: Serve) -> str | None:
        """Return the id under which it will serve the model, if that is known beforehand."""
        del serve
        return None

    def argv(self, serve: Serve, port: int, *own: str) -> tuple[str, ...]:
        """Return the program, our `own` words and those of the user, who wins where a flag stands twice: the last counts.

        Raises:
            UsageFault: the user gave one of `keys`.
        """
        names = (*map(_flag, serve.args), *serve.env)
        for name in names:
            if name in self.keys:
                raise UsageFault(f"{self.name}: got {name} among args or env; use the key `{self.keys[name]}` of serve")
        return filled((*(serve.program or self.program), *own, *serve.args), serve, port)

    def needed_model(self, serve: Serve) -> str:
        """Return the model.

        Raises:
            UsageFault: there is none; a server would take one of its own choice.
        """
        if not serve.model:
            raise UsageFault(
                f"{self.name}: wanted a model, got none; use {self.name}:MODEL, or the key `model` of serve"
            )
        return serve.model


def only_attach(kind: str, how: str) -> UsageFault:
    """Return what to raise where a server of this kind cannot be started by us."""
    return UsageFault(f"{kind}: cannot be started from here; {how}, then name its URL")


def place(serve: Serve, port: int) -> tuple[str, ...]:
    """Return the words by which most servers are told where to listen."""
    return ("--host", serve.host, "--port", str(port))


def filled(words: Iterable[str], serve: Serve, port: int) -> tuple[str, ...]:
    """Return the words with `{port}`, `{host}` and `{model}` filled in; other braces are the user's own."""
    values = {"port": str(port), "host": serve.host, "model": serve.model or ""}
    return tuple(_PLACE.sub(lambda found: values[found[1]], word) for word in words)


def given(serve: Serve | None, *flags: str) -> str | None:
    """Return the value of the last of these flags in the user's words; None if there is none."""
    value = None
    args = serve.args if serve else ()
    for at, word in enumerate(args):
        if _flag(word) in flags:
            _, joined, after = word.partition("=")
            value = after if joined else next(iter(args[at + 1 : at + 2]), None)
    return value


def given_count(serve: Serve | None, *flags: str) -> int | None:
    """Return the same as a number; None also where it is none, or 0."""
    value = given(serve, *flags) or ""
    return int(value) or None if value.isdecimal() else None


def told(answer: Any, *keys: str | int) -> Any:
    """Return what stands in a JSON answer under these keys; None if it is of another shape."""
    for key in keys:
        try:
            answer = answer[key]
        except (KeyError, IndexError, TypeError):
            return None
    return answer


def told_text(answer: Any, *keys: str | int) -> str | None:
    """Return the text there; None if there is none, or an empty one."""
    found = told(answer, *keys)
    return found if isinstance(found, str) and found.strip() else None


def told_count(answer: Any, *keys: str | int) -> int | None:
    """Return the number there; None if there is none, or 0."""
    found = told(answer, *keys)
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None


def quantisation_named(model: str | None) -> str | None:
    """Return the quantisation that the last part of a model's id or path names, as it stands there."""
    found = _QUANTISATION.search((model or "").rpartition("/")[2])
    return found[0] if found else None


def _flag(word: str) -> str:
    """Return a flag without its value, in the one spelling of the two that many servers take."""
    name = word.partition("=")[0]
    return name.replace("_", "-") if name.startswith("--") else name


_PLACE = re.compile(r"\{(port|host|model)\}")
_QUANTISATION = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        (?:UD-)?(?:Q[1-8]_(?:K(?:_(?:XS|S|M|L|XL|XXL))?|[01](?:_[48]_[48])?) | IQ[1-4]_(?:XXS|XS|S|M|NL) | TQ[12]_0)
      | Q[2-8](?=\.gguf$)
      | (?:AWQ|GPTQ|AutoRound|bnb)(?:[-_](?:INT)?[2348](?:-?bit)?)?
      | (?:NV|MX)FP[48](?:_MOE)? | FP8(?:[-_](?:dynamic|block|static))?
      | W[48]A(?:4|8|16) | INT[48] | [2-8]-?bit
      | B?F16 | FP16 | B?F32
    )(?![A-Za-z0-9])""",
    re.VERBOSE | re.IGNORECASE,
)
