"""All kinds by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.servers.command import Command
from pytest_llmbench.servers.kind import ServerKind
from pytest_llmbench.servers.llamacpp import LlamaCpp

OWN: tuple[ServerKind, ...] = (LlamaCpp(), Command())
Kinds = Mapping[str, ServerKind]


def kinds(others: Iterable[ServerKind] = ()) -> Kinds:
    """Return our kinds and others by name; of two with one name the later wins."""
    return {kind.name: kind for kind in (*OWN, *others)}


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
