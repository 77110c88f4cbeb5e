"""The command `llmbench`: reports of runs that are over, comparisons, schemas and prompts. Runs themselves are pytest's."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from pytest_llmbench.commands import COMMANDS
from pytest_llmbench.commands.command import remark
from pytest_llmbench.errors import LlmbenchError

EXIT_COMMAND_LINE = 2
"""The words cannot be understood."""
EXIT_OUR_FAULT = 3
"""As pytest's; never 1, by which `compare` says `worse`."""
EXIT_USAGE = 4
"""What they name is not there, or is not what it should be; as pytest's."""
EXIT_INTERRUPTED = 130
"""By Ctrl-C; as a shell says it."""
EXIT_PIPE = 141
"""Nobody reads on; as a shell says of what SIGPIPE ended."""

_EXAMPLES = """\
A run is made by pytest:           pytest suites --llm-endpoint=http://127.0.0.1:8000/v1
It leaves a folder behind:         .llmbench/20261121T202000Z-3f09ab
Look at it again:                  llmbench report html:out.html .llmbench/20261121T202000Z-3f09ab
What has changed since yesterday:  llmbench compare yesterday/report.json .llmbench/20261121T202000Z-3f09ab
"""


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_COMMAND_LINE, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; `arguments` are those of the process unless given."""
    given = make_parser().parse_args(arguments)
    try:
        code: int = given.run(given)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still in the buffer would be complained of at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE
    except LlmbenchError as fault:
        remark(given.command, str(fault))
        return EXIT_USAGE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        remark(given.command, f"{where}{error.strerror or error}")
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception:  # noqa: BLE001 - Python's own exit code would say `worse`
        traceback.print_exc()
        return EXIT_OUR_FAULT
    return code


def make_parser() -> argparse.ArgumentParser:
    """Return what understands the command line."""
    parser = _Parser(
        prog="llmbench",
        description="Reports and comparisons of benchmark runs that are over. Nothing here asks a model.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"llmbench {version('pytest-llmbench')}")
    commands = parser.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        own = commands.add_parser(command.name, help=command.help, description=command.description)
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
