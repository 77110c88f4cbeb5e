"""Where the answer begins in content that holds its reasoning between tags. For times only.

Which text is the answer is decided where answers are read, with code and channels understood. Here a plain case gets
its time, and one that is not plain gets none: no time is better than a wrong one.
"""

from __future__ import annotations

import re
from itertools import islice

from pytest_llmbench.model.reasoning import REASONING_TAGS

_VISIBLE = re.compile(r"\S")
_RAW_CHANNEL = "<|"
"""Begins the control tokens that some servers leave in the text."""


def _any(tags: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(tag) for tag in tags), re.IGNORECASE)


_OPENING = _any(tuple(opening for opening, _ in REASONING_TAGS))
_CLOSING = _any(tuple(closing for _, closing in REASONING_TAGS))
_CLOSING_OF = {opening.lower(): _any((closing,)) for opening, closing in REASONING_TAGS}


def visible(content: str, start: int = 0) -> int | None:
    """Return where the first character that is no white space stands; None if there is none."""
    found = _VISIBLE.search(content, start)
    return found.start() if found else None


def answer_offset(content: str) -> int | None:
    """Return where the answer's first visible character stands; None if there is no answer, or no telling."""
    first = visible(content)
    if first is None or content.startswith(_RAW_CHANNEL, first):
        return None
    opening = _OPENING.match(content, first)
    closings = _CLOSING if opening is None else _CLOSING_OF[opening.group().lower()]
    found = list(islice(closings.finditer(content, first), 2))
    if opening is None and (not found or _is_text(content, found[0])):
        return first
    if len(found) != 1:
        return None
    answer = visible(content, found[0].end())
    return None if answer is None or _OPENING.match(content, answer) else answer


def _is_text(content: str, closing: re.Match[str]) -> bool:
    """Say whether a closing tag is only spoken of: its opening tag stands before it, or it is code.

    Without an opening tag it ends reasoning whose opening tag was part of the prompt.
    """
    at = closing.start()
    spoken_of = _OPENING.search(content, 0, at) is not None
    in_fence = content.count("```", 0, at) % 2 == 1
    in_span = content.count("`", content.rfind("\n", 0, at) + 1, at) % 2 == 1
    return spoken_of or in_fence or in_span
