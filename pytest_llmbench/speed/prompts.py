"""Prompts of a wanted length, of which no two begin alike: nothing of them can come from a server's cache.

All prompts of one kind and length hold the same sentences with the same words, dealt out anew for each: they differ
from the first word on, and yet have the same number of tokens but for their two first words, whatever the tokeniser.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from pytest_llmbench.speed.templates import KINDS
from pytest_llmbench.speed.vocabulary import NOUNS, SLOTS

_OPENING_CHARS = round(2 * statistics.fmean(map(len, NOUNS))) + 1
"""In the mean: prompts are as much longer as shorter than was asked for."""


def prompt(kind: str, seed: str, number: int, chars: int) -> str:
    """Return a prompt that ends with what the model is to do.

    Args:
        kind: a name in `KINDS`.
        seed: of the run; another one gives other prompts, so that a second run finds nothing of the first in a cache.
        number: counts the prompts of a run from 0, over all its workloads; each begins with another word, and after
            as many as there are words with another pair of them.
        chars: length of the whole, give or take what the first words differ by; the task is the least.
    """
    task = KINDS[kind].task
    return passage(kind, seed, number, max(0, chars - len(task))) + task


def passage(kind: str, seed: str, number: int, chars: int) -> str:
    """Return a text of about that many characters, without a task."""
    random = Random(f"{seed}/{kind}/{number}")  # noqa: S311 (no secret)
    begin = KINDS[kind].opening.format(opening=opening(seed, number))
    around = len(KINDS[kind].opening.format(opening=""))
    stock = _stock(kind, seed, chars - around - _OPENING_CHARS)
    sentences = random.sample(stock.templates, len(stock.templates))
    hands = _Hands({slot: random.sample(words, len(words)) for slot, words in stock.words.items()})
    return begin + "".join(sentence.format_map(hands) for sentence in sentences) + stock.filler


def with_shared_prefix(kind: str, seed: str, number: int, prefix_chars: int, chars: int) -> str:
    """Return a prompt whose first part is that of all others of this kind, seed and length, and the rest its own.

    Args:
        kind: a name in `KINDS`.
        seed: of the run.
        number: as for `prompt`.
        prefix_chars: length of the shared part, which is to come from the cache.
        chars: length of what follows it, the task included.
    """
    # No prompt has a number below 0, so that the shared part is not the beginning of one without it.
    return passage(kind, seed, -1, prefix_chars) + "\n\n" + prompt(kind, seed, number, max(0, chars - 2))


def opening(seed: str, number: int) -> str:
    """Return what a prompt begins with: two words, of which the first comes again only after all others."""
    order = Random(f"{seed}/openings").sample(NOUNS, len(NOUNS))  # noqa: S311 (no secret)
    again, place = divmod(number, len(order))
    return f"{order[place].capitalize()} {order[(place + again + 1) % len(order)]}"


class Decks:
    """Draws words as from shuffled decks of cards: each comes once before any comes twice."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)  # noqa: S311 (no secret)
        self._left: dict[tuple[str, ...], list[str]] = {}
        self.dealt: list[tuple[str, str]] = []
        """Slots, and the words that they got."""

    def draw(self, deck: tuple[str, ...]) -> str:
        """Take the next card of a deck."""
        if not self._left.get(deck):
            self._left[deck] = self._random.sample(deck, len(deck))
        return self._left[deck].pop()

    def __getitem__(self, slot: str) -> str:
        card = self.draw(SLOTS[slot])
        self.dealt.append((slot, card))
        return card


@dataclass(slots=True)
class _Hands:
    """Words for the slots of one text, each to be used once."""

    left: dict[str, list[str]]

    def __getitem__(self, slot: str) -> str:
        return self.left[slot].pop()


@dataclass(frozen=True, slots=True)
class _Stock:
    """What all texts of one kind and length are made of."""

    templates: tuple[str, ...]
    words: Mapping[str, Sequence[str]]
    """By slot."""
    filler: str


@lru_cache(maxsize=64)
def _stock(kind: str, seed: str, chars: int) -> _Stock:
    decks, templates, left = Decks(f"{seed}/{kind}"), [], chars
    for source in (KINDS[kind].templates, (KINDS[kind].short,)):
        while True:
            template, before = decks.draw(source), len(decks.dealt)
            size = len(template.format_map(decks))
            if size > left:
                del decks.dealt[before:]
                break
            templates.append(template)
            left -= size
    words: dict[str, list[str]] = {}
    for slot, card in decks.dealt:
        words.setdefault(slot, []).append(card)
    filler = " ".join(decks.draw(NOUNS) for _ in range(max(0, left)))
    return _Stock(tuple(templates), words, filler[: max(0, left)])
