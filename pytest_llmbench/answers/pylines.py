"""A lexer for Python lines that knows strings and comments only.

Answers are hostile and often no valid Python: unlike `ast`, this takes any text, in linear time, and cannot exhaust
the stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"\\.|\"\"\"|'''|\"|'|#")


@dataclass(slots=True)
class PythonStrings:
    """Follows Python text line by line; `inside` tells whether the next line begins in a triple-quoted string."""

    quote: str = ""

    @property
    def inside(self) -> bool:
        """Whether a triple-quoted string is open."""
        return bool(self.quote)

    def feed(self, line: str) -> str:
        """Return the line's code: strings are left out but for their quotes, a comment is cut off."""
        code, since, quote = [], 0, self.quote
        for token in _TOKEN.finditer(line):
            text = token.group()
            if not quote:
                if text == "#":
                    code.append(line[since : token.start()])
                    self.quote = ""
                    return "".join(code)
                if text[0] != "\\":
                    code.append(line[since : token.end()])
                    quote = text
            elif text == quote or (len(quote) == 1 and text == quote * 3):
                quote, since = "", token.end()
                code.append(text[0])
        if not quote:
            code.append(line[since:])
        self.quote = quote if len(quote) > 1 else ""
        return "".join(code)


def code_lines(text: str) -> Iterator[tuple[str, str, bool]]:
    """Yield (line, its code, whether it begins inside a string) for each line of Python text."""
    strings = PythonStrings()
    for line in text.split("\n"):
        inside = strings.inside
        yield line, strings.feed(line), inside
