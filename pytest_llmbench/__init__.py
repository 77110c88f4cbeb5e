"""Public names for authors of suites and of kinds of servers; nothing else of this package is public.

The names are imported on first use, so that pytest pays nothing for a plugin that is installed but not used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_llmbench.candidate import Candidate, Observe
    from pytest_llmbench.errors import AnswerFault, GraderError
    from pytest_llmbench.load.fixture import Measure
    from pytest_llmbench.model.serving import Serve
    from pytest_llmbench.sandbox.api import Driver, Exit, Job, Limits, Process, Sandbox, Task
    from pytest_llmbench.servers.kind import Facts, Launch, ServerKind

__all__ = [
    "AnswerFault",
    "Candidate",
    "Driver",
    "Exit",
    "Facts",
    "GraderError",
    "Job",
    "Launch",
    "Limits",
    "Measure",
    "Observe",
    "Process",
    "Sandbox",
    "Serve",
    "ServerKind",
    "Task",
]

_HOME = {
    "AnswerFault": "errors",
    "Candidate": "candidate",
    "Facts": "servers.kind",
    "GraderError": "errors",
    "Launch": "servers.kind",
    "Measure": "load.fixture",
    "Observe": "candidate",
    "Serve": "model.serving",
    "ServerKind": "servers.kind",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'sandbox.api')}"), name)
