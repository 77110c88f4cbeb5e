"""What is typed behind an option -> its value. Each raises a `ValueError` that says what was wanted.

Those of the gate are in `bars`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pytest_llmbench.model.settings import ReportTarget

N = TypeVar("N", int, float)

SANDBOXES = ("bubblewrap", "none")


def whole(text: str) -> int:
    """Read a whole number."""
    return _number(text, int, lambda _: True, "a whole number")


def count(text: str) -> int:
    """Read a whole number of at least 1."""
    return _number(text, int, lambda value: value >= 1, "a whole number, 1 or more")


def above_zero(text: str) -> float:
    """Read a finite number above 0."""
    return _number(text, float, lambda value: 0 < value < float("inf"), "a number, more than 0")


def temperature(text: str) -> float:
    """Read a finite number of at least 0."""
    return _number(text, float, lambda value: 0 <= value < float("inf"), "a number, 0 or more")


def levels(text: str) -> tuple[int, ...]:
    """Read counts that grow."""
    found = tuple(count(part) for part in text.split(","))
    if list(found) != sorted(set(found)):
        raise ValueError("wanted numbers that grow")
    return found


def sandbox(text: str) -> str:
    """Read the name of a kind of sandbox."""
    if text not in SANDBOXES:
        raise ValueError(f"wanted one of: {', '.join(SANDBOXES)}")
    return text


def goodput(text: str) -> str:
    """Read bounds, and leave them as they are."""
    from pytest_llmbench.speed.goodput import read_bounds

    read_bounds(text)
    return text


def report(text: str) -> ReportTarget:
    """Read FORMAT:PATH."""
    from pytest_llmbench.reports import FORMATS

    kind, colon, path = text.partition(":")
    if not colon or not path or kind not in FORMATS:
        raise ValueError(f"wanted FORMAT:PATH with FORMAT one of: {', '.join(FORMATS)}")
    return ReportTarget(kind, str(Path(os.path.expanduser(path)).absolute()))  # noqa: PTH111 - takes `~nobody` as it is


def _number(text: str, kind: Callable[[str], N], fits: Callable[[N], bool], wanted: str) -> N:
    try:
        value = kind(text)
    except ValueError:
        raise ValueError(f"wanted {wanted}") from None
    if not fits(value):
        raise ValueError(f"wanted {wanted}")
    return value
