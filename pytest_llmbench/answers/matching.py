"""Which file an unlabelled block is, told by its content."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_llmbench.answers.languages import fits
from pytest_llmbench.answers.shapes import Shape

ENOUGH_LIKENESS = 0.3


def match(text: str, language: str, targets: Mapping[str, Shape | None]) -> str | None:
    """Return the only file that the text can be; None if there is none, or more than one.

    Args:
        text: of the block.
        language: of its fence, canonical; empty if it has none.
        targets: path -> the file as the program has it, None for a file that is still to be written.
    """
    fitting = {path: original for path, original in targets.items() if fits(language, path)}
    if len(targets) == 1:
        return next(iter(fitting), None)
    for measure, least in ((_shared_names, 1.0), (_likeness, ENOUGH_LIKENESS)):
        scores = {path: measure(text, original) for path, original in fitting.items() if original is not None}
        best = max(scores.values(), default=0.0)
        if best >= least:
            winners = [path for path, score in scores.items() if score == best]
            return winners[0] if len(winners) == 1 else None
    return next(iter(fitting)) if len(fitting) == 1 and language else None


def _shared_names(text: str, original: Shape) -> float:
    return float(len(Shape.of(text, original.path).defines & original.defines))


def _likeness(text: str, original: Shape) -> float:
    return Shape.of(text, original.path).likeness(original)
