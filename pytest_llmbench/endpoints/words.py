"""A command line as one text to its words."""

from __future__ import annotations

import shlex

from pytest_llmbench.errors import UsageFault


def split_words(text: str, source: str) -> tuple[str, ...]:
    """Split as a shell does; nothing is expanded.

    Args:
        text: the command line.
        source: where it stands, for the message.

    Raises:
        UsageFault: a quotation that does not end.
    """
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageFault(f"{source}: cannot be split into words: {str(error).lower()}; see its quotes") from error
