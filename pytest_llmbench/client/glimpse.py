"""How far an answer is, by what came of it so far: for somebody who watches, now and then, and never in the hot loop."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from pytest_llmbench.client.tape import Tape

_TEXT = re.compile(rb'"(reasoning_content|reasoning|content)"\s*:\s*"(?!")')
"""A field with text in it. One that was split between two reads is missed: this is for the eye, no figure."""
_THINK = re.compile(rb"</?think(?:ing)?>")
"""Tags of models whose server does not tell reasoning apart."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What was there at a moment."""

    chunks: int = 0
    """Events that carried text; most servers send a token in each."""
    is_reasoning: bool = False
    """Whether the last one was reasoning."""
    chunks_s: float | None = None
    """Chunks a second since the first one; None before there are two reads."""


class Onlooker:
    """Looks at one answer while it comes."""

    def __init__(self) -> None:
        self.tape: Tape | None = None
        """Of the attempt that goes on; None before the first one."""
        self._seen: Tape | None = None
        self._begin()

    def look(self) -> Glimpse:
        """Return how far the answer is."""
        if self.tape is not self._seen:
            self._begin()  # it is asked for again
            self._seen = self.tape
        if self.tape is not None:
            self._take(self.tape.pieces)
        took_s = self._last_s - self._first_s
        rate_s = (self._chunks - self._first_chunks) / took_s if took_s > 0 else None
        return Glimpse(self._chunks, self._is_reasoning or self._is_thinking, rate_s)

    def _begin(self) -> None:
        self._pieces = self._chunks = self._first_chunks = 0
        self._first_s = self._last_s = 0.0
        self._is_reasoning = self._is_thinking = False

    def _take(self, pieces: Sequence[tuple[float, bytes]]) -> None:
        for at_s, data in islice(pieces, self._pieces, len(pieces)):
            self._pieces += 1
            names = _TEXT.findall(data)
            if names:
                if not self._chunks:
                    self._first_s, self._first_chunks = at_s, len(names)
                self._last_s = at_s
                self._chunks += len(names)
                self._is_reasoning = names[-1] != b"content"
            if tags := _THINK.findall(data):
                self._is_thinking = not tags[-1].startswith(b"</")
