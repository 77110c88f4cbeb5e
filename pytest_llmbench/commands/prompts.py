"""`llmbench prompts`: what models are sent."""

from __future__ import annotations

import argparse

from pytest_llmbench.commands.command import EXIT_OK, STDOUT, Command, put, put_path, typed
from pytest_llmbench.errors import UsageFault
from pytest_llmbench.prompts import find_suites, write_prompts


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="DIR|-", help="folder to write to, made if it is not there; -: standard output"
    )
    parser.add_argument(
        "suites", metavar="SUITE", nargs="*", default=[], help="names or folders of suites; none: all the bundled ones"
    )


def _run(given: argparse.Namespace) -> int:
    suites = find_suites(given.suites)
    if given.folder != STDOUT:
        for path in write_prompts(typed(given.folder), suites):
            put_path(path)
    elif len(suites) == 1:
        put(suites[0].prompt)
    else:
        raise UsageFault(f"-: wanted one suite, got {len(suites)}: {', '.join(suite.name for suite in suites)}")
    return EXIT_OK


COMMAND = Command(
    "prompts",
    "write what models are sent",
    "Write what a model is sent, byte for byte, to DIR/SUITE.md; or that of one suite to standard output.",
    _add_arguments,
    _run,
)
