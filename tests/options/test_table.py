"""What `pytest --help` says of the options."""

from __future__ import annotations

import pytest

from pytest_llmbench.option import Option
from pytest_llmbench.options import OPTIONS
from pytest_llmbench.reports import FORMATS

OPTION = {option.name: option for option in OPTIONS}


def shown(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_the_help_is_plain_and_names_the_default(option: Option) -> None:
    assert (option.help + option.metavar).isascii()
    if option.default is not None:
        assert f"default: {shown(option.default)})" in option.help or f"{option.default} (default)" in option.help


def test_the_help_names_every_format_of_a_report() -> None:
    *first, last = sorted(FORMATS)
    assert f"as {', '.join(first)} or {last};" in OPTION["report"].help
