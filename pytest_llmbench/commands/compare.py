"""`llmbench compare`: the gate on two past runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

from pytest_llmbench.bars import OPTIONS
from pytest_llmbench.commands.command import Command, put
from pytest_llmbench.comparing import compare
from pytest_llmbench.pastruns import read_run
from pytest_llmbench.stats.gate import Bars

T = TypeVar("T")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", metavar="A", help="run folder or report.json: how it was")
    parser.add_argument("after", metavar="B", help="run folder or report.json: how it is")
    for option in OPTIONS:
        parser.add_argument(
            f"--{option.name}",
            metavar=option.metavar,
            type=_told(option.parse),
            action="append" if option.repeatable else "store",
            default=[] if option.repeatable else option.default,
            help=option.about,
        )


def _run(given: argparse.Namespace) -> int:
    before, after = read_run(given.before), read_run(given.after)
    bars = Bars(
        None if given.fail_under is None else given.fail_under / 100,
        given.drop / 100,
        given.min_coverage / 100,
        tuple(given.must_pass),
    )
    found = compare(before, after, bars, given.allow_different)
    put(found.text)
    return found.exit_code


def _told(read: Callable[[str], T]) -> Callable[[str], T]:
    """Let argparse say what was wanted; it keeps the message of no other exception."""

    def reader(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error

    return reader


COMMAND = Command(
    "compare",
    "what changed from one run to another; exit code 1 if it got worse",
    "Say what changed from run A to run B: checks, speed, and what ran. "
    "Exit code 0: not worse. 1: worse. 8: too little was judged to tell. 4: they cannot be compared.",
    _add_arguments,
    _run,
)
