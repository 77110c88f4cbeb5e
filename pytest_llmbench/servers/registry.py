"""All kinds by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.servers.command import Command
from pytest_llmbench.servers.kind import ServerKind
from pytest_llmbench.servers.llama_cpp_python import LlamaCppPython
from pytest_llmbench.servers.llamacpp import LlamaCpp
from pytest_llmbench.servers.lmstudio import LmStudio
from pytest_llmbench.servers.ollama import Ollama
from pytest_llmbench.servers.sglang import SgLang
from pytest_llmbench.servers.tgi import Tgi
from pytest_llmbench.servers.transformers import Transformers
from pytest_llmbench.servers.trtllm import TrtLlm
from pytest_llmbench.servers.vllm import Vllm

OWN: tuple[ServerKind, ...] = (
    Vllm(),
    SgLang(),
    LlamaCpp(),
    LlamaCppPython(),
    Transformers(),
    Ollama(),
    TrtLlm(),
    Tgi(),
    LmStudio(),
    Command(),
)
Kinds = Mapping[str, ServerKind]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
"""Others cannot be typed in front of the `:` of `--llm-endpoint`."""


def kinds(others: Iterable[ServerKind] = ()) -> Kinds:
    """Return our kinds and others by name; of two with one name the later wins.

    Raises:
        UsageFault: one of the others is no kind, or has no name that can be typed.
    """
    every = (*OWN, *others)
    for kind in every:
        if not isinstance(kind, ServerKind):
            raise UsageFault(f"pytest_llmbench_server_kinds: wanted instances of ServerKind, got {kind!r}")
        name = getattr(kind, "name", None)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UsageFault(
                f"pytest_llmbench_server_kinds: {type(kind).__name__}.name: wanted letters, digits, '.', '_', '+', '-', "
                f"got {name!r}"
            )
    return {kind.name: kind for kind in every}


def kind_named(known: Kinds, name: str, source: str) -> ServerKind:
    """Return the kind of that name.

    Args:
        known: as `kinds` returns them.
        name: to look up.
        source: where it was given, for the message.

    Raises:
        UsageFault: there is none.
    """
    if name not in known:
        raise UsageFault(f"{source}: no server kind {name!r}; there are {', '.join(sorted(known))}")
    return known[name]
