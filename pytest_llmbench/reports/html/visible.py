"""Characters that hide, or that turn text round, shown as marks: what a model wrote must not look like something else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

INVISIBLE: Final[Sequence[tuple[int, int]]] = (
    (0x0, 0x8), (0xB, 0xC), (0xE, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C),
    (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F),
    (0x3164, 0x3164), (0xD800, 0xDFFF), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF),
    (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""First and last code point of each range: controls but tab and line break, bidi controls, what has no width, tags,
lone surrogates, noncharacters. Not the variation selectors of emoji. A carriage return is one only before no line feed."""

_CLASS = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in INVISIBLE)
_HIDDEN = re.compile(f"[{_CLASS}]|\\r(?!\\n)")


def visible(text: str) -> str:
    """Return the text with `⟨U+202E⟩` in the place of each such character; the result can be encoded, whatever came."""
    return _HIDDEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)
