"""What pytest was given for an option: on the command line, else in the ini file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.option import Option
from pytest_llmbench.options.table import OPTIONS, option_named


def add_options(parser: pytest.Parser) -> None:
    """Register every option and its ini twin."""
    group = parser.getgroup("llmbench", "llmbench: judge language models by running their answers")
    for option in OPTIONS:
        if option.is_switch:
            group.addoption(option.flag, dest=option.dest, action="store_true", default=None, help=option.about)
            parser.addini(option.dest, f"same as {option.flag}", type="bool", default=False)
            continue
        action = "append" if option.repeatable else "store"
        group.addoption(option.flag, dest=option.dest, action=action, metavar=option.metavar, help=option.about)
        if option.repeatable:
            parser.addini(option.dest, f"same as {option.flag}", type="linelist", default=[])
        else:
            parser.addini(option.dest, f"same as {option.flag}", default=None)


def value_of(config: pytest.Config, name: str) -> Any:
    """Return the value of an option: command line, then ini file, then default.

    Raises:
        UsageFault: it cannot be parsed.
    """
    option = option_named(name)
    typed = config.getoption(option.dest)
    source, raw = (option.dest, config.getini(option.dest)) if typed in (None, []) else (option.flag, typed)
    if option.is_switch:
        return bool(raw)
    if option.repeatable:
        return tuple(_parsed(option, source, text) for text in raw)
    if typed == "":
        # Of a shell's variable that is not set. A gate that is gone without a word would be worse than an error.
        raise UsageFault(f"{option.flag}=: wanted {option.metavar}, got nothing; give a value or leave the option out")
    return _parsed(option, source, raw) if raw else option.default


def is_given(config: pytest.Config, option: Option, *, typed: bool = False) -> bool:
    """Whether the command line or, unless it must be `typed`, the ini file names a value."""
    given = config.getoption(option.dest)
    return (config.getini(option.dest) if given in (None, []) and not typed else given) not in (None, [], "", False)


def typed_path(config: pytest.Config, given: str) -> Path:
    """Return a path from where pytest was started; shells leave the `~` of `--llm-out=~/runs` to us."""
    return config.invocation_params.dir / os.path.expanduser(given)  # noqa: PTH111 - takes `~nobody` as it is


def _parsed(option: Option, source: str, text: str) -> Any:
    try:
        return option.parse(text)
    except ValueError as error:
        raise UsageFault(f"{source}={text}: {error}") from error
