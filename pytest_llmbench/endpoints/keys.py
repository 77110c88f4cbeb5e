"""API keys: named by an environment variable, read where a request is made, and written down nowhere."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pytest_llmbench.errors import UsageFault


def read_key(variable: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the key in an environment variable; None if no variable is named, or there is none of that name."""
    return environment.get(variable) if variable else None


def check_key(variable: str | None, environment: Mapping[str, str], source: str) -> None:
    """See that the variable of the key holds one.

    Raises:
        UsageFault: it does not; said of `source`.
    """
    if variable is not None and not environment.get(variable):
        raise UsageFault(f"{source}: the environment variable {variable} is not set; export it with the key")
