"""Rows of speed for spreadsheets: a line for each figure of each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import fields

from pytest_llmbench.model.speed import FIGURES, SpeedRow, Spread

_OF_ROW = tuple(each.name for each in fields(SpeedRow) if each.name not in {*FIGURES, "unknown", "marks"})
_OF_SPREAD = tuple(each.name for each in fields(Spread) if each.name != "rounds")

HEADS = (*_OF_ROW, "marks", "figure", "known_rounds", *_OF_SPREAD, "unknown")


def delimited(rows: Sequence[SpeedRow], delimiter: str) -> str:
    """Return the rows as text, heads first; an empty cell is not known, and the last column says why.

    Args:
        rows: of the report.
        delimiter: one character; cells that hold it, a quote or a line break are quoted.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(HEADS)
    for row in rows:
        about = [getattr(row, name) for name in _OF_ROW]
        for name in FIGURES:
            figure: Spread | None = getattr(row, name)
            known: list[float | str | None] = [""] * (len(_OF_SPREAD) + 1)
            if figure is not None:
                known = [figure.rounds, *(getattr(figure, part) for part in _OF_SPREAD)]
            writer.writerow([*about, " ".join(row.marks), name, *known, row.unknown.get(name, "")])
    return text.getvalue()
