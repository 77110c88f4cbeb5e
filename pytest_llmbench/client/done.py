"""The line by which a stream of events says that it is over. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TAIL_BYTES = 32
_DONE_LINE = re.compile(rb"[\r\n]data: ?\[DONE\](\s*)\Z")


def said_done_at_s(reads: Sequence[tuple[float, bytes]]) -> float | None:
    """Return the time of the read that completed `data: [DONE]`; None if the body does not end with this line."""
    tail = b""
    for _, data in reversed(reads):
        tail = data[-_TAIL_BYTES:] + tail
        if len(tail) >= _TAIL_BYTES:
            break
    found = _DONE_LINE.search(b"\n" + tail)
    if found is None:
        return None
    after = len(found[1])
    for at_s, data in reversed(reads):
        if len(data) > after:
            return at_s
        after -= len(data)
    return None
