"""Texts, packed so that a page of many long ones stays small: each different one once, compressed, read on demand."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

LIMITS: Final = (100_000, 30_000, 10_000, 3_000, 1_000, 300, 0)
"""Characters of a single text; the next one counts where the texts do not fit otherwise."""
LEVEL: Final = 5
"""Of compression. Higher ones take twice the time for three percent."""
_TAIL: Final = 4
"""The last quarter of what is kept of a text that is cut is its end: that is where a log says why."""


class Cut(NamedTuple):
    """What is kept of a text that is too long."""

    beginning: str
    left_out: int
    """Characters between the two."""
    end: str
    whole: str
    """Where all of it is, relative to the run folder."""


Shown = str | Cut


def cut(text: Shown, limit: int, whole: str) -> Shown:
    """Return a text of at most `limit` characters as it is, of a longer one its beginning and its end.

    Args:
        text: whatever came, or what an earlier cut of a higher limit has left of it.
        limit: characters, or 0 for none at all.
        whole: path of all of it, relative to the run folder.
    """
    beginning, left_out, end = (text, 0, "") if isinstance(text, str) else (text.beginning, text.left_out, text.end)
    kept = len(beginning) + len(end)
    if kept <= limit:
        return text if isinstance(text, str) else text._replace(whole=whole)
    tail = limit // _TAIL
    head = limit - tail
    end = end or beginning
    return Cut(beginning[:head], left_out + kept - limit, end[len(end) - tail :], whole)


def to_json(value: Any) -> str:
    """Return JSON that may stand in a `<script>`: ASCII only, lone surrogates escaped, and no `<` that could end it."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class Pack:
    """Blocks of texts; equal ones are kept once."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._blocks: list[str] = []

    def add(self, value: Any) -> int:
        """Keep what JSON can hold; return the number of its block."""
        text = json.dumps(value, separators=(",", ":"))
        place = self._places.setdefault(text, len(self._blocks))
        if place == len(self._blocks):
            self._blocks.append(base64.b64encode(zlib.compress(text.encode("ascii"), LEVEL)).decode("ascii"))
        return place

    @property
    def blocks(self) -> Iterable[str]:
        """JSON, compressed (zlib, what browsers call `deflate`), in base64."""
        return self._blocks

    @property
    def size_bytes(self) -> int:
        """Of all blocks."""
        return sum(map(len, self._blocks))


def unpack(block: str) -> Any:
    """Return what a block holds; the page does the same."""
    return json.loads(zlib.decompress(base64.b64decode(block)))
