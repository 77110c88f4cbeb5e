"""What the schema says of the fields of a record."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

Count = Annotated[int, Meta(ge=0)]
Ordinal = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]


def described(description: str) -> Meta:
    """Return what stands beside a field's type."""
    return Meta(description=description)
