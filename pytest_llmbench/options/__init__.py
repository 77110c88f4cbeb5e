"""Command line, ini file and defaults -> `Settings`. Imports nothing heavy before an option asks for it."""

from __future__ import annotations

from pytest_llmbench.options.given import add_options, typed_path, value_of
from pytest_llmbench.options.reading import read_settings, settings_from_text, settings_to_text
from pytest_llmbench.options.table import OPTIONS
from pytest_llmbench.options.whom import server_kinds

__all__ = [
    "OPTIONS",
    "add_options",
    "read_settings",
    "server_kinds",
    "settings_from_text",
    "settings_to_text",
    "typed_path",
    "value_of",
]
