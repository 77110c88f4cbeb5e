"""A figure that cannot be known, and why."""

from __future__ import annotations

from typing import NamedTuple


class Unknown(NamedTuple):
    """Stands where a figure would; in records it becomes None, and its reason stands beside."""

    reason: str
    """In words, for whoever looks for the figure."""
