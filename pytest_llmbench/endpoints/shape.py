"""What stands in a models.yaml: keys, types, limits; also the source of the published JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from pytest_llmbench.model.endpoint import Sampling
from pytest_llmbench.model.fields import described
from pytest_llmbench.model.serving import Serve

Text = Annotated[str, Meta(min_length=1, title="a text")]
Word = Annotated[str | int | float | bool, Meta(title="a text")]
"""One word of a command line, or a variable's value; numbers are taken as they are written."""
Words = Annotated[str, Meta(title="a text")] | tuple[Word, ...]
Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0)]
Tokens = Annotated[int, Meta(ge=1)]
VariableName = Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$", title="the name of an environment variable")]

_SAMPLING = Sampling()
_SERVE = Serve(kind="")


class SamplingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sampling of one endpoint; what is left out falls to the command line and its defaults."""

    temperature: Annotated[
        Annotated[float, Meta(ge=0)] | None, described("0 is greedy; left out: --llm-temperature, or 0")
    ] = None
    top_p: Annotated[
        float, Meta(gt=0, le=1), described("share of the probability mass that is drawn from; 1 is all of it")
    ] = _SAMPLING.top_p
    max_tokens: Annotated[
        Tokens | None,
        described(
            f"upper bound of tokens generated, reasoning included; left out: --llm-max-tokens, or {_SAMPLING.max_tokens}"
        ),
    ] = None
    seed: Annotated[int | None, described("of the server's sampler; left out: not sent")] = None


class ServeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server that the run starts and stops."""

    kind: Annotated[Text | None, described("which server; decides how it is started and when it is ready")] = None
    model: Annotated[
        Text | None,
        described("a model id, or the path of a file or folder; a relative path begins at the folder of this file"),
    ] = None
    args: Annotated[
        Words,
        described(
            "further words of the command line, as a list, or as one text with a shell's quoting; "
            "{port}, {host} and {model} are filled in; replaces inherited args"
        ),
    ] = ()
    more_args: Annotated[Words, described("words after the inherited args")] = msgspec.field(default=(), name="args+")
    env: Annotated[dict[str, Word], described("environment variables on top of ours")] = {}
    program: Annotated[
        Words, described("what to start instead of the kind's own program, such as the path of another build")
    ] = ()
    port: Annotated[Port | None, described("left out: a free one")] = None
    host: Annotated[Text, described("address that it listens on")] = _SERVE.host
    resource: Annotated[
        Words,
        described(
            "what it takes, such as gpu0, or a list of such names; servers with one in common never run at the same "
            "time; left out: the whole machine; an empty list: nothing"
        ),
    ] = _SERVE.resources
    ready_timeout_s: Annotated[Seconds, described("seconds from the start to the first answer")] = (
        _SERVE.ready_timeout_s
    )
    stop_timeout_s: Annotated[Seconds, described("seconds from SIGTERM to SIGKILL")] = _SERVE.stop_timeout_s
    restarts: Annotated[
        int, Meta(ge=0), described("how often it is started again after it died in the middle of a run")
    ] = _SERVE.restarts


class EndpointConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to ask, and how: a running server (`url`) or one to start (`serve`)."""

    url: Annotated[Text | None, described("base URL of a running server, up to and including /v1")] = None
    kind: Annotated[Text | None, described("beside url: which server is running there")] = None
    serve: Annotated[ServeConfig | None, described("a server to start, instead of url")] = None
    model: Annotated[
        Text | None, described("model id as sent in the request; left out: what the server lists, if that is one")
    ] = None
    api_key_env: Annotated[
        VariableName | None, described("name of the environment variable that holds the API key, never the key itself")
    ] = None
    sampling: Annotated[SamplingConfig, described("sampling parameters")] = SamplingConfig()
    chat_template_kwargs: Annotated[
        dict[str, Any], described("variables of the model's chat template, such as enable_thinking")
    ] = {}
    extra_body: Annotated[
        dict[str, Any], described("further fields of the request body; they win over the sampling parameters")
    ] = {}
    context_tokens: Annotated[
        Tokens | None, described("longest prompt and answer together; left out: what the server tells")
    ] = None
    metadata: Annotated[
        dict[str, Any], described("your notes, for the report: quantisation, tensor_parallel, notes, anything")
    ] = {}

    @property
    def body(self) -> dict[str, Any]:
        """Further fields of the request body."""
        if not self.chat_template_kwargs:
            return self.extra_body
        return {**self.extra_body, "chat_template_kwargs": self.chat_template_kwargs}


Overrides = dict[str, EndpointConfig | None]


class EntryConfig(EndpointConfig, frozen=True, forbid_unknown_fields=True):
    """One entry below `endpoints`: an endpoint, or several that share most of what they are."""

    variants: Annotated[
        Overrides, described("name -> what differs; each is an endpoint of its own, called ENTRY-NAME")
    ] = {}
    matrix: Annotated[
        dict[str, Annotated[Overrides, Meta(min_length=1)]],
        described("axis -> name -> what differs; each combination is an endpoint, called ENTRY-NAME-NAME"),
    ] = {}


class FileConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file; keys that begin with `x-` are passed over, and may hold anchors."""

    endpoints: Annotated[dict[str, EntryConfig], described("endpoints by name")] = {}
    defaults: Annotated[EndpointConfig, described("what every endpoint has unless it says otherwise")] = (
        EndpointConfig()
    )
