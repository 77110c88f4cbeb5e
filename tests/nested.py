"""Runs of pytest in processes of their own, of which the tests start hundreds."""

from __future__ import annotations

import sys

WITHOUT_OURS = ("-pno:anyio", "-pno:hypothesispytest", "-ptests.nested")
"""Leave out what our tests and tools need and users may not have: it costs each process a quarter of its time."""


def pytest_configure() -> None:
    """Have httpx find no libraries for its command line: to Python, None is a module that is not there."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
