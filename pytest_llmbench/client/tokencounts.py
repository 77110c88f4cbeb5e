"""How many tokens each event of a stream carried, by the server's own word. Pure.

Servers say it in different ways, or not at all; a way is believed only if it speaks at every event with text.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_llmbench.client.wire import Chunk

MAX_COUNT = 2**53

Said = tuple[int | None, ...]
"""Tokens so far, by each way of saying it: token ids, log probabilities, usage, llama.cpp's timings."""
SILENT: Said = (None, None, None, None)
"""Of an event that says nothing of tokens."""


def count(found: Any, *path: str) -> int | None:
    """Return the count that stands under these names; None if there is none, or it is no count."""
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    plain = isinstance(found, int) and not isinstance(found, bool)
    return found if plain and 0 <= found < MAX_COUNT else None


class TokenCounts:
    """Follows what the events of one stream say."""

    __slots__ = ("_ids", "_logprobs")

    def __init__(self) -> None:
        self._ids = 0
        self._logprobs = 0

    def take(self, chunk: Chunk) -> Said:
        """Take an event and return how many tokens there were up to it."""
        ids = logprobs = None
        for choice in chunk.choices or ():
            if choice.token_ids is not None:
                ids = self._ids = self._ids + len(choice.token_ids)
            if choice.logprobs is not None and choice.logprobs.content is not None:
                logprobs = self._logprobs = self._logprobs + len(choice.logprobs.content)
        usage, timings = chunk.usage, chunk.timings
        if ids is None and logprobs is None and usage is None and timings is None:
            return SILENT
        return ids, logprobs, count(usage, "completion_tokens"), count(timings, "predicted_n")


def tokens_of(said: Sequence[Said]) -> Sequence[int | None]:
    """Return how many tokens each event with text carried; None for all where no way of saying it holds.

    Tokens of events without text, such as half a character, are counted with the next event that has some.

    Args:
        said: of each event with text, in order.
    """
    if SILENT in said:
        return [None] * len(said)
    for totals in zip(*said, strict=True):
        if None in totals:
            continue
        carried = [later - earlier for earlier, later in itertools.pairwise((0, *totals))]
        if _is_plausible(carried):
            return carried
    return [None] * len(said)


def _is_plausible(carried: Sequence[int]) -> bool:
    """Say whether these can be tokens of events.

    Some servers send a usage with every event whose count stands still, and the true one only in the end.
    """
    return min(carried) >= 0 and carried[0] > 0 and 2 * carried.count(0) <= len(carried)
