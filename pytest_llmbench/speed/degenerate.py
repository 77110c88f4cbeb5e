"""Whether a text goes round in circles: a server that guesses ahead writes such a text far faster than any other."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

LOOP_SHARE = 0.5
"""Of all characters. Prose, code, JSON, lists and tables have at most a tenth of theirs in loops."""

MIN_REPEATS = 3
"""Twice is emphasis."""

MIN_CHARS = 64
"""A shorter text is not judged."""

LINE_CHARS = 120
"""One character repeated for no longer than a line is a rule, an indent or a filled column."""

MIN_WORDS = 200
FEW_WORDS = 0.02
"""Different words, as a share of all of them; prose of that length has ten times as many."""
FEW_BYTES = 0.1
"""Compressed, as a share of the text's own bytes."""
MOSTLY_WORDS = 0.85
"""Letters, as a share of all but white space: in a table of yes and no, bars are more of the rest."""
FEW_DIGITS = 0.01
"""As a share of all characters. A line that comes again with another number may as well be a list."""

_GRAM = 16
"""Characters that must come again to suggest a period: enough not to occur by chance."""
_CANDIDATES = 5
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Repetition:
    """What a text's repeats look like, and the verdict on them."""

    degenerate: bool
    reason: str
    """In words, for both verdicts."""
    looped_share: float
    """Characters that lie in a passage repeated at least three times on end / all characters."""
    compression_ratio: float
    """Compressed size / size in UTF-8; above 1 for some short texts."""


def repetition(text: str) -> Repetition:
    """Judge a text by loops, whatever their period, and by how few words it makes do with."""
    size = len(text.encode("utf-8", "replace"))
    ratio = len(zlib.compress(text.encode("utf-8", "replace"), 9)) / size if size else 1.0
    if len(text) < MIN_CHARS:
        return Repetition(degenerate=False, reason="too short to tell", looped_share=0.0, compression_ratio=ratio)
    loops = list(_loops(text))
    share = len({place for begin, end, _ in loops for place in range(begin, end)}) / len(text)
    if share >= LOOP_SHARE:
        begin, end, period = max(loops, key=lambda loop: loop[1] - loop[0])
        passage = text[begin : begin + min(period, 60)]
        reason = f"{share:.0%} of the text is loops, such as {passage!r} {(end - begin) // period} times on end"
        return Repetition(degenerate=True, reason=reason, looped_share=share, compression_ratio=ratio)
    if ratio < FEW_BYTES and (few := _few_words(text)) is not None:
        return Repetition(degenerate=True, reason=few, looped_share=share, compression_ratio=ratio)
    reason = f"{share:.0%} of the text is loops"
    return Repetition(degenerate=False, reason=reason, looped_share=share, compression_ratio=ratio)


def _loops(text: str) -> Iterator[tuple[int, int, int]]:
    """Find passages that repeat on end: begin, end and period, in characters."""
    for period in _periods(text):
        begin = 0
        # Where two characters a period apart differ, a loop of that period ends.
        breaks = [place for place in range(period, len(text)) if text[place] != text[place - period]]
        for end in (*breaks, len(text)):
            if end - begin >= MIN_REPEATS * period and not _is_rule(text[begin:end]):
                yield begin, end, period
            begin = end - period + 1


def _is_rule(passage: str) -> bool:
    return len(passage) <= LINE_CHARS and len(set(passage)) == 1


def _few_words(text: str) -> str | None:
    """Say so if the same handful of words comes again and again, in whatever order."""
    words = [word.lower() for word in _WORD.findall(text)]
    different, letters = len(set(words)), sum(map(len, words))
    if len(words) < MIN_WORDS or different > FEW_WORDS * len(words):
        return None
    if letters < MOSTLY_WORDS * len("".join(text.split())) or sum(map(str.isdigit, text)) > FEW_DIGITS * len(text):
        return None
    return f"only {different} different words among {len(words)}"


def _periods(text: str) -> list[int]:
    """Return the distances at which passages come again most often."""
    last: dict[str, int] = {}
    distances: Counter[int] = Counter()
    for place in range(len(text) - _GRAM + 1):
        gram = text[place : place + _GRAM]
        if gram in last:
            distances[place - last[gram]] += 1
        last[gram] = place
    return [distance for distance, _ in distances.most_common(_CANDIDATES)]
