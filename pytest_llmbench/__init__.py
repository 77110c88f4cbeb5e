"""Public names for authors of suites; nothing else of this package is public.

The names are imported on first use, so that pytest pays nothing for a plugin that is installed but not used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_llmbench.candidate import Candidate, Observe
    from pytest_llmbench.errors import AnswerFault, GraderError
    from pytest_llmbench.load.fixture import Measure
    from pytest_llmbench.sandbox.api import Driver, Exit, Job, Limits, Process, Sandbox, Task

__all__ = [
    "AnswerFault",
    "Candidate",
    "Driver",
    "Exit",
    "GraderError",
    "Job",
    "Limits",
    "Measure",
    "Observe",
    "Process",
    "Sandbox",
    "Task",
]

_HOME = {
    "AnswerFault": "errors",
    "Candidate": "candidate",
    "GraderError": "errors",
    "Measure": "load.fixture",
    "Observe": "candidate",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'sandbox.api')}"), name)
