"""Runs untrusted code. `open_sandbox` picks the kind and proves it before the first use."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from pytest_llmbench.errors import SandboxError, UsageFault

if TYPE_CHECKING:
    from pytest_llmbench.sandbox.api import Sandbox

KINDS = {"bubblewrap": "bubblewrap", "none": "unsandboxed"}
"""Kind -> module with `open_kind`."""

SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
"""Where every kind of sandbox finds the host's programs."""


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


def require_programs(names: Iterable[str]) -> None:
    """Make sure that candidates will find these programs.

    Raises:
        SandboxError: one is missing; the message names all that are.
    """
    missing = [name for name in names if shutil.which(name, path=SYSTEM_PATH) is None]
    if missing:
        raise SandboxError(
            f"the answers of this suite need programs that this host has not got in {SYSTEM_PATH}: {', '.join(missing)}; "
            f"install them, on Debian or Ubuntu with `scripts/setup` or apt-get install"
        )
