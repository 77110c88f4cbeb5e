"""Records to text: a format NAME is a module `NAME_report` that has `render`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules

from pytest_llmbench.model.report import Report

Render = Callable[[Report], str]
SUFFIX = "_report"


def _formats() -> Mapping[str, Render]:
    names = [module.name for module in iter_modules(__path__) if module.name.endswith(SUFFIX)]
    return {name.removesuffix(SUFFIX): import_module(f"{__name__}.{name}").render for name in names}


FORMATS = _formats()
