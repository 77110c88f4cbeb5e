"""Runs untrusted code. `open_sandbox` picks the kind and proves it before the first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pytest_llmbench.errors import UsageFault

if TYPE_CHECKING:
    from pytest_llmbench.sandbox.api import Sandbox

KINDS = {"bubblewrap": "bubblewrap", "none": "unsandboxed"}
"""Kind -> module with `open_kind`."""


def open_sandbox(kind: str) -> Sandbox:
    """Return a sandbox of the kind, proved on this host.

    Raises:
        UsageFault: there is no such kind.
        SandboxError: this host does not allow it; the message gives the fix.
    """
    if kind not in KINDS:
        raise UsageFault(f"sandbox {kind!r} is unknown, wanted one of: {', '.join(sorted(KINDS))}")
    # Imported late: a driver imports this package for `driver` alone.
    sandbox: Sandbox = import_module(f"pytest_llmbench.sandbox.{KINDS[kind]}").open_kind()
    return sandbox
