"""Texts, packed so that a page of many long ones stays small: each different one once, compressed, read on demand."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from typing import Any, Final

LEVEL: Final = 5
"""Of compression. Higher ones take twice the time for three percent."""
_TAIL: Final = 4
"""The last quarter of what is kept of a text that is cut is its end: that is where a log says why."""

Shown = str | list[str | int]
"""A text, or of one that is too long: its beginning, how many characters are left out, its end, where the whole is."""


def cut(text: str, limit: int, whole: str) -> Shown:
    """Return a text of at most `limit` characters as it is, of a longer one its beginning and its end.

    Args:
        text: whatever came.
        limit: characters, or 0 for none at all.
        whole: path of all of it, relative to the run folder.
    """
    if len(text) <= limit:
        return text
    tail = limit // _TAIL
    head = limit - tail
    return [text[:head], len(text) - limit, text[len(text) - tail :], whole]


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
