"""The page as a whole: one file that opens offline, and in which nothing runs but its own script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pytest_llmbench.reports.html.visible import visible

PACKAGE = "pytest_llmbench.reports.html"


def page(values: Mapping[str, Any]) -> str:
    """Fill in the page; every text is escaped, and its hidden characters are shown."""
    style, script = (_file(name) for name in ("style.css", "script.js"))
    return (
        _environment()
        .get_template("page.html.j2")
        .render(values, style=style, script=script, policy=policy(style, script))
    )


def policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy that lets these two in and nothing else: no other script, no style, no address."""
    rules = {
        "default-src": "'none'",
        "script-src": _hash(script),
        "style-src": _hash(style),
        "base-uri": "'none'",
        "form-action": "'none'",
        # Nor does the script itself turn text into markup.
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _file(name: str) -> Markup:
    # Ours, not anybody's: it goes in as it is, so that its hash holds.
    return Markup((files(PACKAGE) / name).read_text("utf-8"))  # noqa: S704


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_shown,
    )
    environment.filters |= {"figure": _figure, "percent": _percent, "interval": _interval}
    return environment


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _figure(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _interval(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"{low * 100:.0f} to {high * 100:.0f} %"
