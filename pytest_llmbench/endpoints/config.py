"""`models.yaml`: endpoints by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pytest_llmbench.endpoints.layers import expand, has_several
from pytest_llmbench.endpoints.parsing import parse_yaml
from pytest_llmbench.endpoints.reading import read
from pytest_llmbench.endpoints.shape import EndpointConfig, FileConfig
from pytest_llmbench.endpoints.spec import check_name
from pytest_llmbench.endpoints.tree import Place, Table, is_nothing
from pytest_llmbench.errors import UsageFault

_FREE_KEYS = "x-"


@dataclass(frozen=True, slots=True)
class Entry:
    """One endpoint as the file describes it, defaults and overrides filled in."""

    name: str
    config: EndpointConfig
    table: Table

    def place(self, *keys: str) -> Place:
        """Return where something stands, or else the nearest that is around it."""
        place, tree = self.table.place, self.table
        for key in keys:
            inner = tree.entries.get(key)
            if inner is None:
                return place
            place = inner.place
            if not isinstance(inner, Table):
                return place
            tree = inner
        return place


@dataclass(frozen=True, slots=True)
class ModelsFile:
    """The whole file."""

    endpoints: Mapping[str, Entry]
    groups: Mapping[str, tuple[str, ...]]
    """Name of an entry with variants or a matrix -> its endpoints."""

    def named(self, name: str) -> tuple[Entry, ...]:
        """Return the endpoint of that name, or all of the entry of that name; empty if there is neither."""
        names = self.groups.get(name, (name,))
        return tuple(self.endpoints[one] for one in names if one in self.endpoints)

    def known(self, name: str) -> str:
        """Return what to say of a name that is not there."""
        names = (*self.groups, *self.endpoints)
        close = get_close_matches(name, names, n=1)
        return f"{f'did you mean {close[0]}? ' if close else ''}it has: {', '.join(names) or 'none'}"


def load_models_file(path: Path) -> ModelsFile:
    """Read and validate a models.yaml.

    Raises:
        UsageFault: missing, not YAML, or not of the shape that docs/endpoints.md describes; one line, with the line's
            number.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageFault(f"{path}: cannot read it: {error.strerror}; name another file with --llm-config") from error
    top = parse_yaml(data, str(path))
    if is_nothing(top):
        return ModelsFile({}, {})
    if not isinstance(top, Table):
        raise top.place.fault("wanted a mapping with 'endpoints', got something else")
    top = top.without(*(key for key in top.entries if key.startswith(_FREE_KEYS)))
    read(top, FileConfig)
    return _collected(top)


def _collected(top: Table) -> ModelsFile:
    defaults = top.entries.get("defaults")
    below = defaults if isinstance(defaults, Table) else Table(top.place, {})
    endpoints: dict[str, Entry] = {}
    groups: dict[str, tuple[str, ...]] = {}
    taken: dict[str, Place] = {}
    for name, entry in _entries(top):
        made = [_checked(derived, merged) for derived, merged in expand(name, entry, below)]
        if has_several(entry):
            groups[name] = tuple(one.name for one in made)
            _take(name, entry.place, taken)
        for one in made:
            _take(one.name, one.table.place, taken)
            endpoints[one.name] = one
    return ModelsFile(endpoints, groups)


def _entries(top: Table) -> Iterator[tuple[str, Table]]:
    entries = top.entries.get("endpoints")
    for name, entry in entries.entries.items() if isinstance(entries, Table) else ():
        if isinstance(entry, Table):
            yield name, entry


def _take(name: str, place: Place, taken: dict[str, Place]) -> None:
    check_name(name, str(place))
    if name in taken:
        raise place.fault(f"there is already an endpoint {name!r}, at line {taken[name].line}")
    taken[name] = place


def _checked(name: str, merged: Table) -> Entry:
    config = read(merged, EndpointConfig)
    entry = Entry(name, config, merged)
    if config.url is not None and config.serve is not None:
        raise entry.place("serve").fault(
            f"wanted url or serve, got both (url at line {entry.place('url').line}); a running server has a url, "
            "serve starts one"
        )
    if config.url is None and config.serve is None:
        raise entry.place().fault("wanted url (a running server) or serve (one to start), got neither")
    if config.serve is not None and config.kind is not None:
        raise entry.place("kind").fault("stands beside url only; the kind of a server to start is serve.kind")
    if config.serve is not None and config.serve.kind is None:
        raise entry.place("serve").fault("wanted a kind, such as vllm or llamacpp, got none")
    return entry
