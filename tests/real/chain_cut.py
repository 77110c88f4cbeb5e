"""Cuts a text into pieces that no two are alike, so that each can be a token of its own."""

from __future__ import annotations

_SHORTEST = 2


def cut(text: bytes, piece_bytes: int) -> tuple[bytes, ...]:
    """Return distinct pieces that joined give `text`, each of at least `piece_bytes` bytes, longer only where it must be.

    A cut may fall inside a multi-byte character, as with real tokenizers.

    Raises:
        ValueError: the text repeats itself so much that its end cannot be made distinct.
    """
    pieces: list[bytes] = []
    seen: set[bytes] = set()
    at = 0
    while at < len(text):
        end = at + max(piece_bytes, _SHORTEST)
        while text[at:end] in seen and end < len(text):
            end += 1
        piece = text[at:end]
        while pieces and (piece in seen or len(piece) < _SHORTEST):  # only at the end of the text
            seen.discard(pieces[-1])
            piece = pieces.pop() + piece
        if piece in seen or len(piece) < _SHORTEST:
            raise ValueError(f"cannot cut {text[:40]!r}… into distinct pieces of {piece_bytes} bytes or more")
        pieces.append(piece)
        seen.add(piece)
        at = end
    return tuple(pieces)
