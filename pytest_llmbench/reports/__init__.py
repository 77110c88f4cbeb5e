"""Records to text: a format NAME is a module `NAME_report` that has `render`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import cast

from pytest_llmbench.model.report import Report
from pytest_llmbench.reports.details import Details

Render = Callable[[Report, Details], str]
"""A report and the texts behind it -> the text of a file; a format that needs no texts leaves them alone."""
SUFFIX = "_report"


def _formats() -> Mapping[str, Render]:
    names = [module.name for module in iter_modules(__path__) if module.name.endswith(SUFFIX)]
    return {name.removesuffix(SUFFIX): _on_first_use(f"{__name__}.{name}") for name in names}


def _on_first_use(module: str) -> Render:
    # Templates and charts cost every run their time to import, and few runs write them.
    def render(report: Report, details: Details) -> str:
        return cast("Render", import_module(module).render)(report, details)

    return render


FORMATS = _formats()
