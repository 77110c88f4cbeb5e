"""What a command is, and how it speaks."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_llmbench.reports.markdown_text import visible

EXIT_OK = 0
STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Command:
    """One word behind `llmbench`."""

    name: str
    help: str
    """In the list of commands; a few words."""
    description: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    """Does it, and returns the exit code."""


def put(text: str) -> None:
    """Write to standard output in UTF-8 and with our line ends, whatever the locale is: prompts are told byte for byte."""
    sys.stdout.buffer.write(text.encode())


def put_path(path: Path) -> None:
    """Write a line with a path, in the bytes that it has on disk."""
    sys.stdout.buffer.write(os.fsencode(path) + b"\n")


def remark(command: str, text: str) -> None:
    """Write one line to standard error, in which nothing that a report says can steer the terminal."""
    sys.stderr.write(f"llmbench {command}: {visible(text)}\n")


def typed(path: str) -> Path:
    """Return a path; shells leave the `~` of `html:~/out.html` to us."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - takes `~nobody` as it is
