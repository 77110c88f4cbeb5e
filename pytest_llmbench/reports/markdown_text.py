"""Foreign text inside Markdown: names, evidence and log lines stand in code spans, where nothing of them is markup.

Backslashes would not do: GitHub makes links of addresses, and notifies people of `@names`, also where they are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_llmbench.reports.html.visible import visible as marked

MISSING = "-"
_WORDS = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ,;%()-]|\. )*\.?")
"""No dot inside of a word: GitHub takes it for an address."""
MAX_TEXT = 300
"""Characters of foreign text in one place; whole texts are in the report."""


def visible(text: str) -> str:
    """Return a text on one line, with marks for characters that hide, or that turn text round."""
    return marked(" ".join(text.split()))


def shortened(text: str, limit: int = MAX_TEXT) -> str:
    """Cut a text to `limit` characters, the last of them an ellipsis."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def code(text: str | None, limit: int = MAX_TEXT) -> str:
    """Return foreign text as a code span on one line; `-` for none. Not for cells of tables."""
    shown = shortened(visible(text or ""), limit)
    if not shown:
        return MISSING
    ticks = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    # A space at either end is dropped again by the reader; it keeps the text's own backticks apart from ours.
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def code_cell(text: str | None, limit: int = MAX_TEXT) -> str:
    """Return foreign text as a code span for a cell of a table."""
    # Readers do not agree on what a backslash in front of an escaped bar is.
    return code(text, limit).replace("\\|", "\\ |").replace("|", "\\|")


def word_cell(text: str | None, limit: int = MAX_TEXT) -> str:
    """Return a cell with text that is most likely our own: plain if nothing in it can be markup, else a code span."""
    return text if text is not None and _WORDS.fullmatch(text) and len(text) <= limit else code_cell(text, limit)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[str] = frozenset()) -> list[str]:
    """Lay out a table with an empty line after it; nothing for no rows.

    Args:
        heads: of the columns; cells and heads are Markdown already.
        rows: as many cells each as there are heads.
        right: heads of the columns that are flush right.
    """
    if not rows:
        return []
    sizes = [max(3, *map(len, column)) for column in zip(heads, *rows, strict=True)]
    rule = ["-" * (size - 1) + (":" if head in right else "-") for head, size in zip(heads, sizes, strict=True)]
    return [*(_line(cells, sizes, [head in right for head in heads]) for cells in (heads, rule, *rows)), ""]


def without_empty(
    heads: Sequence[str], rows: Sequence[Sequence[str]], kept: int = 1
) -> tuple[list[str], list[list[str]]]:
    """Leave out columns, after the first `kept` ones, of which no row knows anything."""
    used = [place for place in range(len(heads)) if place < kept or any(row[place] != MISSING for row in rows)]
    return [heads[place] for place in used], [[row[place] for place in used] for row in rows]


def _line(cells: Sequence[str], sizes: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        cell.rjust(size) if is_right else cell.ljust(size)
        for cell, size, is_right in zip(cells, sizes, right, strict=True)
    )
    return f"| {' | '.join(padded)} |"
