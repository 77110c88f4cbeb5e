"""The longest text that must stand in a line for a pattern to fit: looking for it first is ten times faster."""

from __future__ import annotations

import re
from functools import cache

_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[^:)]*[:)]|[()|]|\{\d*,?\d*\}|[*+?^$.]|[^\\]", re.DOTALL)
_GROUP_END = ")"
_OPENS = "("
_MAY_BE_ABSENT = re.compile(r"[*?]|\{0?,")
_QUANTIFIER = re.compile(r"[*+?]|\{\d*,?\d*\}")
_PLAIN = re.compile(r"[^\\()|{*+?^$.\[]")
_ESCAPED_PLAIN = re.compile(r"\\[^\w]")


@cache
def needle(pattern: re.Pattern[str]) -> str:
    """Return a text that is part of everything that the pattern fits; empty if none can be told."""
    if pattern.flags & (re.IGNORECASE | re.VERBOSE):
        return ""
    runs, run, depth = [""], "", 0
    for piece in _PIECE.findall(pattern.pattern):
        if piece == "|" and depth == 0:
            return ""
        if piece == _GROUP_END:
            depth -= 1
        elif piece.startswith(_OPENS) and not piece.endswith(_GROUP_END):
            depth += 1
        elif depth == 0 and _QUANTIFIER.fullmatch(piece):
            run = run[:-1] if _MAY_BE_ABSENT.match(piece) else run
        elif depth == 0 and (_PLAIN.fullmatch(piece) or _ESCAPED_PLAIN.fullmatch(piece)):
            run += piece[-1]
            continue
        runs.append(run)
        run = ""
    return max((*runs, run), key=len)
