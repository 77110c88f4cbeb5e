"""A server to start, as the user wrote it down, to what its kind can start."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pytest_llmbench.endpoints.shape import ServeConfig, Words
from pytest_llmbench.endpoints.words import split_words
from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.command import Command
from pytest_llmbench.servers.kind import ServerKind

_ANY_PORT = 1
"""A free one is chosen at the start; that a kind can start at all does not depend on it."""


def serve_typed(kind: ServerKind, served: str, source: str) -> ServeConfig:
    """Read what stands behind `KIND:` on the command line: words for the kind `command`, else a model."""
    if isinstance(kind, Command):
        return ServeConfig(kind=kind.name, args=split_words(served, source))
    return ServeConfig(kind=kind.name, model=served)


def to_serve(config: ServeConfig, kind: ServerKind, folder: Path, source: str) -> Serve:
    """Make relative paths absolute and let the kind say whether it can start that.

    Args:
        config: what was asked for.
        kind: the one that it names.
        folder: where relative paths begin.
        source: where it was asked for, for messages.

    Raises:
        UsageFault: something that this kind can never start; one line.
    """
    for name in config.env:
        if not name or "=" in name:
            raise UsageFault(f"{source}: env: wanted the name of a variable, got {name.partition('=')[0]!r}")
    program, resources = _words(config.program, source), _resources(config.resource, source)
    model = None if config.model is None else local_path(config.model, folder)
    if model is not None and re.search(r"\s-", model) and not Path(model).is_absolute():
        raise UsageFault(f"{source}: wanted a model, got flags behind it; they belong into the key `args` of serve")
    serve = Serve(
        kind=kind.name,
        model=model,
        args=_words(config.args, source),
        env={name: str(value) for name, value in config.env.items()},
        program=(_program(program[0], folder), *program[1:]) if program else (),
        folder=str(folder),
        host=config.host,
        port=config.port,
        resources=resources,
        ready_timeout_s=config.ready_timeout_s,
        stop_timeout_s=config.stop_timeout_s,
        restarts=config.restarts,
    )
    try:
        kind.launch(serve, serve.port or _ANY_PORT)
    except UsageFault as fault:
        raise UsageFault(f"{source}: {fault}") from fault
    return serve


def local_path(word: str, folder: Path) -> str:
    """Return the absolute path of what is a file or folder here; a model id stays as it is.

    What begins with `./`, `../` or `~/` can be no id: it becomes absolute, whether it is there or not.
    """
    if word.startswith("~/"):
        return str(Path(word).expanduser())
    is_path = word.startswith(("./", "../")) or word in {".", ".."}
    # Path.exists() raises for a name that is too long; this one says no.
    return str(Path(folder, word)) if is_path or os.path.exists(Path(folder, word)) else word  # noqa: PTH110


def _program(word: str, folder: Path) -> str:
    """A bare name is looked up on PATH, whatever lies in the folder."""
    return local_path(word, folder) if "/" in word else word


def _resources(names: Words, source: str) -> tuple[str, ...]:
    names = (names,) if isinstance(names, str) else tuple(map(str, names))
    for name in names:
        # `gpu0,gpu1` as one name would keep nobody off gpu0.
        if not re.fullmatch(r"[^\s,]+", name):
            raise UsageFault(f"{source}: resource: wanted one name, or a list such as [gpu0, gpu1], got {name!r}")
    return names


def _words(words: Words, source: str) -> tuple[str, ...]:
    return split_words(words, source) if isinstance(words, str) else tuple(map(str, words))
