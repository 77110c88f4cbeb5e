"""What an option is, for pytest's command line and for the commands alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Option:
    """One option: `--llm-max-tokens` of pytest with its ini twin `llm_max_tokens`, `--max-tokens` of a command."""

    name: str
    metavar: str
    help: str
    parse: Callable[[str], Any] = str
    """Raises a `ValueError` that says what was wanted."""
    default: Any = None
    repeatable: bool = False
    is_switch: bool = False
    """It takes no value."""

    @property
    def flag(self) -> str:
        """As on pytest's command line."""
        return f"--llm-{self.name}"

    @property
    def dest(self) -> str:
        """As in the ini file and on `config.option`."""
        return f"llm_{self.name.replace('-', '_')}"

    @property
    def about(self) -> str:
        """The help as argparse wants it, which fills in what begins with a per cent sign."""
        return self.help.replace("%", "%%")
