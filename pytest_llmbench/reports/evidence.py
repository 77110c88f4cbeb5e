"""What a check said, as short as a list has room for."""

from __future__ import annotations


def first_line(evidence: str | None, most: int | None = None) -> str:
    """Return the first line that is not blank, empty if there is none.

    Args:
        evidence: all that was said.
        most: characters; a longer line ends with an ellipsis. None for no bound.
    """
    lines = (evidence or "").strip().splitlines()
    line = lines[0] if lines else ""
    return line if most is None or len(line) <= most else f"{line[: most - 1]}…"
