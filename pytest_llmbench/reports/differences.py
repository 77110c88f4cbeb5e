"""What differs between an endpoint of one run and an endpoint of another: why their figures may not be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.identity import options
from pytest_llmbench.model.report import EndpointRow, Report

UNKNOWN = "unknown"
ABSENT = "not set"
COMMAND = "server.command"
_OPEN = ("extra_body.", "metadata.", "server.env.", "server.gpus.")
"""Where what is absent is not unknown, but not there."""

_Facts = Mapping[str, str]
"""Dotted name -> value in JSON."""


def differences(before: EndpointRow, after: EndpointRow) -> tuple[str, ...]:
    """Return a line for each fact that can change answers and is not the same; none if the fingerprints are equal.

    Lines look like `server.version: 0.6.1 -> 0.6.2` and `server.command: --kv-cache-dtype auto -> fp8`.
    """
    first, second = _identity(before), _identity(after)
    words = [identity["server"].pop("command") for identity in (first, second)]
    lines = _changes(_flat(first), _flat(second))
    return (*lines, *(f"{COMMAND}: {change}" for change in _command_changes(*words)))


def baseline_lines(report: Report, baseline: Report) -> list[str]:
    """Return what is not as it was, for each endpoint that the baseline has too: one of that name, or its only one."""
    before = {row.name: row for row in baseline.endpoints}
    only = baseline.endpoints[0] if len(baseline.endpoints) == 1 else None
    pairs = [(before.get(row.name, only), row) for row in report.endpoints]
    return [
        f"{after.name}: not as in the baseline: {line}"
        for old, after in pairs
        if old is not None
        for line in differences(old, after)
    ]


def _identity(row: EndpointRow) -> dict[str, Any]:
    endpoint = Endpoint(
        name=row.name,
        model=row.model,
        replay=row.replay,
        sampling=row.sampling,
        extra_body=row.extra_body,
        server=row.server,
        metadata=row.metadata,
    )
    return json.loads(json.dumps(endpoint.identity, default=str))  # type: ignore[no-any-return]


def _changes(before: _Facts, after: _Facts) -> list[str]:
    names = dict.fromkeys((*before, *after))
    # An empty group says nothing beside the members that the other one has.
    groups = {name for name in names if any(other.startswith(f"{name}.") for other in names)}
    pairs = {name: (before.get(name), after.get(name)) for name in names if name not in groups}
    return [f"{name}: {_shown(name, old, new)}" for name, (old, new) in pairs.items() if old != new]


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """Give each fact its dotted name; what is null has none, except where the user may have said so."""
    if value and isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value, 1)
        inner = [_flat(part, f"{name}.{key}" if name else str(key)) for key, part in parts]
        return {key: text for each in inner for key, text in each.items()}
    return {} if value is None and not name.startswith(_OPEN) else {name: json.dumps(value, ensure_ascii=False)}


def _shown(name: str, *values: str | None) -> str:
    absent = ABSENT if name.startswith(_OPEN) else UNKNOWN
    plain = [absent if value is None else value.strip('"') or value for value in values]
    exact = [absent if value is None else value for value in values]
    return " -> ".join(plain if len(set(plain)) > 1 else exact)


def _command_changes(before: Sequence[str] | None, after: Sequence[str] | None) -> list[str]:
    if before == after:
        return []
    if before is None or after is None:
        return [" -> ".join(UNKNOWN if words is None else " ".join(words) for words in (before, after))]
    old, new = _by_option(before), _by_option(after)
    changed = [name for name in dict.fromkeys((*old, *new)) if old.get(name) != new.get(name)]
    return [_change(name, old.get(name), new.get(name)) for name in changed] or ["the same words in another order"]


def _by_option(words: Sequence[str]) -> dict[str, str]:
    """Say for each option what it is set to; the words before the first one stand under an empty name."""
    found: dict[str, list[str]] = {}
    begin, *rest = options(words)
    for name, values in [("", begin), *((name, values) for name, *values in rest)]:
        found.setdefault(name, []).append(" ".join(values))
    return {name: ", ".join(values) for name, values in found.items()}


def _change(name: str, old: str | None, new: str | None) -> str:
    shown = [ABSENT if value is None else value or "set" for value in (old, new)]
    return f"{name} {' -> '.join(shown)}".lstrip()
