"""The text that came in a stream, piece by piece. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from pytest_llmbench.client.tokencounts import SILENT, Said, tokens_of
from pytest_llmbench.client.wire import PlainChunk
from pytest_llmbench.model.completion import TextChunk


class Pieces:
    """What the events of one stream added, in order; a list for each kind of thing, because there may be 200,000."""

    __slots__ = ("_at_s", "_call_chars", "_contents", "_reasonings", "_said")

    def __init__(self) -> None:
        self._at_s: list[float] = []
        self._contents: list[str] = []
        self._reasonings: list[str] = []
        self._call_chars: list[int] = []
        self._said: list[Said] = []

    def add(self, at_s: float, content: str, reasoning: str, call_chars: int, said: Said) -> None:
        """Add one, if there is anything in it.

        Args:
            at_s: time of the read that completed the event.
            content: of the answer.
            reasoning: before it.
            call_chars: length of what was added to calls of tools.
            said: tokens up to here, by the server's word.
        """
        if content or reasoning or call_chars:
            self._at_s.append(at_s)
            self._contents.append(content)
            self._reasonings.append(reasoning)
            self._call_chars.append(call_chars)
            self._said.append(said)

    def add_plain(self, times_s: Sequence[float], chunks: Sequence[PlainChunk]) -> None:
        """Add several, each with its time; the same as `add` for each of them."""
        deltas = [chunk.choices[0].delta for chunk in chunks]
        has_text = [bool(each.content or each.reasoning_content or each.reasoning) for each in deltas]
        if not all(has_text):
            times_s, deltas = list(compress(times_s, has_text)), list(compress(deltas, has_text))
        self._at_s += times_s
        self._contents += [delta.content or "" for delta in deltas]
        self._reasonings += [delta.reasoning_content or delta.reasoning or "" for delta in deltas]
        self._call_chars += [0] * len(deltas)
        self._said += [SILENT] * len(deltas)

    @property
    def content(self) -> str:
        """All of the answer."""
        return "".join(self._contents)

    @property
    def reasoning(self) -> str:
        """All of the reasoning."""
        return "".join(self._reasonings)

    def text_times_s(self) -> list[float]:
        """Return the time of each piece that is text, and not only a call of a tool."""
        columns = zip(self._at_s, self._contents, self._reasonings, strict=True)
        return [at_s for at_s, content, reasoning in columns if content or reasoning]

    def reached_s(self, offset: int) -> float | None:
        """Return when the content's character at this offset came; None if there is none."""
        seen = 0
        for at_s, text in zip(self._at_s, self._contents, strict=True):
            seen += len(text)
            if offset < seen:
                return at_s
        return None

    def chunks(self) -> tuple[TextChunk, ...]:
        """Return the pieces without their text."""
        if not self._said:
            return ()
        columns = (self._at_s, self._contents, self._reasonings, self._call_chars, tokens_of(self._said))
        # A named tuple's own constructor takes twice as long as what it calls.
        return tuple([
            tuple.__new__(TextChunk, (at_s, len(content) + len(reasoning) + chars, not (content or chars), tokens))
            for at_s, content, reasoning, chars, tokens in zip(*columns, strict=True)
        ])  # fmt: skip
