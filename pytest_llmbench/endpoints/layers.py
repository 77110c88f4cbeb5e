"""One entry of models.yaml to its endpoints: defaults below, variants and axes of its matrix above."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import product

from pytest_llmbench.endpoints.tree import Items, Scalar, Table, Tree, is_nothing
from pytest_llmbench.endpoints.words import split_words

VARIANTS, MATRIX = "variants", "matrix"
ARGS, MORE_ARGS = "args", "args+"
MOST_ENDPOINTS = 1000
"""Of one entry; more is a mistake, and a run that never ends."""
_RIVALS: Mapping[str, tuple[str, ...]] = {"url": ("serve",), "serve": ("url", "kind")}
"""A key -> what of the defaults is then not meant."""


def expand(name: str, entry: Table, defaults: Table) -> Iterator[tuple[str, Table]]:
    """Yield the names and merged mappings of an entry's endpoints, in the order of the file.

    Raises:
        UsageFault: an axis without values, too many endpoints.
    """
    axes = [axis for axis in _axes(entry) if axis.entries]
    if (count := math.prod(len(axis.entries) for axis in axes)) > MOST_ENDPOINTS:
        raise entry.place.fault(f"wanted at most {MOST_ENDPOINTS} endpoints of one entry, got {count}")
    base = entry.without(VARIANTS, MATRIX)
    for chosen in product(*(axis.entries.items() for axis in axes)):
        own = [base, *(_table(overrides) for _, overrides in chosen)]
        labels = (label for label, _ in chosen)
        below = _without_rivals(defaults, reduce(merge, own))
        place = own[-1].place
        merged = reduce(merge, (below, *own), Table(place, {}))
        yield "-".join((name, *labels)), Table(place, merged.entries)


def has_several(entry: Table) -> bool:
    """Whether the entry's name stands for endpoints with names of their own."""
    return any(axis.entries for axis in _axes(entry))


def merge(below: Table, above: Table) -> Table:
    """Lay one mapping over another, at every depth: `above` wins, but its `args+` come after the `args`."""
    merged = dict(below.entries)
    for key, value in above.entries.items():
        if isinstance(value, Table):
            under = merged.get(key)
            merged[key] = merge(under if isinstance(under, Table) else Table(value.place, {}), value)
        elif key != MORE_ARGS:
            merged[key] = value
    if MORE_ARGS in above.entries:
        merged[ARGS] = _joined(merged.get(ARGS), above.entries[MORE_ARGS])
    return Table(above.place, merged)


def _joined(below: Tree | None, above: Tree) -> Items:
    return Items(above.place, (*_items(below), *_items(above)))


def _items(tree: Tree | None) -> Sequence[Tree]:
    match tree:
        case Items():
            return tree.items
        case Scalar(value=str(text)):
            return [Scalar(tree.place, word, word) for word in split_words(text, str(tree.place))]
        case _:
            return ()


def _axes(entry: Table) -> Iterator[Table]:
    if VARIANTS in entry.entries:
        yield _table(entry.entries[VARIANTS])
    if MATRIX in entry.entries:
        for axis in _table(entry.entries[MATRIX]).entries.values():
            if not _table(axis).entries:
                raise axis.place.fault("wanted at least one name -> overrides, got none")
            yield _table(axis)


def _table(tree: Tree) -> Table:
    return tree if isinstance(tree, Table) else Table(tree.place, {})


def _without_rivals(defaults: Table, said: Table) -> Table:
    unmeant = [rival for key, rivals in _RIVALS.items() if not is_nothing(said.entries.get(key)) for rival in rivals]
    return defaults.without(*unmeant)
