"""Tables of text that keep to the width of a terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, takewhile

GAP = "  "
MIN_NAME = 20

Column = Sequence[str]
"""Head and cells, padded to one size."""


def column(head: str, cells: Sequence[str]) -> Column:
    """Return a column that is flush right."""
    size = max(map(len, (head, *cells)))
    return [cell.rjust(size) for cell in (head, *cells)]


def text_column(head: str, cells: Sequence[str]) -> Column:
    """Return a column that is flush left."""
    size = max(map(len, (head, *cells)))
    return [cell.ljust(size) for cell in (head, *cells)]


def lay_out(names: Column, groups: Sequence[Sequence[Column]], width: int) -> list[str]:
    """Lay out one table, or several below each other where one would be too wide.

    Args:
        names: first column of each table, head included; long ones lose their middle, unless that makes two the same.
        groups: columns that are kept together if they can be.
        width: of a line; only a single column that is wider than that goes beyond.
    """
    longest = max(map(len, names))
    whole = list(chain.from_iterable(groups))
    if width - _size(whole) >= min(longest, MIN_NAME):
        groups = [whole]
    room = max(MIN_NAME, width - max(map(_size, groups)))
    labels = _shortened(names, room)
    first = max(map(len, labels))
    lines: list[str] = []
    for table in chain.from_iterable(_packed(group, width - first) for group in groups):
        lines += [""] if lines else []
        rows = ([label.ljust(first), *cells] for label, *cells in zip(labels, *table, strict=True))
        lines += [GAP.join(cells).rstrip() for cells in rows]
    return lines


def _size(columns: Sequence[Column]) -> int:
    return sum(len(GAP) + len(column[0]) for column in columns)


def _packed(columns: Sequence[Column], room: int) -> list[list[Column]]:
    """Share columns out to tables, in order, as many as fit into each."""
    tables: list[list[Column]] = [[]]
    for one in columns:
        if tables[-1] and _size([*tables[-1], one]) > room:
            tables.append([])
        tables[-1].append(one)
    return tables


def _shortened(names: Sequence[str], room: int) -> list[str]:
    head, *own = names
    for shorter in (own, _without_shared(own, room)):
        short = [_without_middle(name, room) for name in (head, *shorter)]
        if len(set(short)) == len(set(names)):
            return short
    return list(names)


def _without_shared(names: Sequence[str], room: int) -> list[str]:
    """Cut short the words with which all names begin and end: those of a matrix may differ in their middle only."""
    begin = re.sub(r"[^-_./]*$", "", _same_begin(names))
    rest = [name.removeprefix(begin) for name in names]
    end = re.sub(r"^[^-_./]*", "", _same_begin([name[::-1] for name in rest])[::-1])
    own = [name.removesuffix(end) for name in rest]
    kept = max(0, room - max(map(len, own)) - 2) // 2
    before = begin if len(begin) <= kept + 1 else f"{begin[:kept]}…"
    after = end if len(end) <= kept + 1 else f"…{end[len(end) - kept :]}"
    return [f"{before}{name}{after}" for name in own]


def _same_begin(texts: Sequence[str]) -> str:
    return "".join(
        letters[0] for letters in takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    )


def _without_middle(name: str, room: int) -> str:
    # Names of models differ at their ends as often as at their beginnings: `…-awq`, `…-fp8`.
    head = (room - 1) // 2
    return name if len(name) <= room else f"{name[:head]}…{name[head + 1 - room :]}"
