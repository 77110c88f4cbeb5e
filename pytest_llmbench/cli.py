"""The command `llmbench`: reports of runs that are over, comparisons, schemas and prompts. Runs themselves are pytest's."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from pytest_llmbench.comparing import compare
from pytest_llmbench.endpoints.schema import models_schema
from pytest_llmbench.errors import LlmbenchError, UsageFault
from pytest_llmbench.model.settings import DROP_PERCENT, MIN_COVERAGE_PERCENT
from pytest_llmbench.pastruns import read_run
from pytest_llmbench.prompts import find_suites, write_prompts
from pytest_llmbench.reports import FORMATS
from pytest_llmbench.reports.comparable import MAY_DIFFER
from pytest_llmbench.reports.merge import merge
from pytest_llmbench.reports.schema import report_schema
from pytest_llmbench.runfolder import write_whole
from pytest_llmbench.stats.gate import Bars

EXIT_OK = 0
EXIT_COMMAND_LINE = 2
"""The words cannot be understood."""
EXIT_USAGE = 4
"""What they name is not there, or is not what it should be; as pytest's."""
EXIT_PIPE = 141
"""Nobody reads on; as a shell says of what SIGPIPE ended."""

_SCHEMAS = {"report": report_schema, "models": models_schema}
_STDOUT = "-"
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
    parser = make_parser()
    given = parser.parse_args(arguments)
    try:
        code: int = given.run(given)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still in the buffer would be complained of at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE
    except LlmbenchError as fault:
        sys.stderr.write(f"llmbench {given.command}: {_one_line(fault)}\n")
        return EXIT_USAGE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"llmbench {given.command}: {where}{error.strerror or error}\n")
        return EXIT_USAGE
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

    report = commands.add_parser(
        "report",
        help="write a report of one run, or of several beside each other",
        description="Write a report of one run, or of several runs beside each other.",
    )
    report.add_argument("target", metavar="FORMAT[:PATH]", help=f"{', '.join(FORMATS)}; no PATH: to standard output")
    report.add_argument("runs", metavar="RUN", nargs="+", help="run folder, or a report.json")
    report.set_defaults(run=_report)

    comparison = commands.add_parser(
        "compare",
        help="what changed from one run to another; exit code 1 if it got worse",
        description="Say what changed from run A to run B: checks, speed, and what ran. "
        "Exit code 0: not worse. 1: worse. 8: too little was judged to tell. 4: they cannot be compared.",
    )
    comparison.add_argument("before", metavar="A", help="run folder or report.json: how it was")
    comparison.add_argument("after", metavar="B", help="run folder or report.json: how it is")
    comparison.add_argument(
        "--drop",
        metavar="POINTS",
        type=_share,
        default=str(DROP_PERCENT),
        help="drop of the pass rate that has to show (20)",
    )
    comparison.add_argument("--fail-under", metavar="PERCENT", type=_share, help="lowest pass rate that is good enough")
    comparison.add_argument(
        "--min-coverage",
        metavar="PERCENT",
        type=_share,
        default=str(MIN_COVERAGE_PERCENT),
        help="share of the checks that must have been judged (95)",
    )
    comparison.add_argument(
        "--must-pass",
        metavar="SUITE/CHECK",
        action="append",
        default=[],
        help="a check that may fail not even once; repeatable",
    )
    comparison.add_argument(
        "--allow-different",
        metavar="NAME",
        choices=tuple(MAY_DIFFER),
        action="append",
        default=[],
        help=f"what need not be equal: {', '.join(MAY_DIFFER)}; repeatable",
    )
    comparison.set_defaults(run=_compare)

    schema = commands.add_parser(
        "schema",
        help="print a JSON Schema",
        description="Print the JSON Schema of report.json, or of models.yaml for your editor.",
    )
    schema.add_argument("name", nargs="?", default="report", choices=sorted(_SCHEMAS), help="default: report")
    schema.set_defaults(run=_schema)

    prompts = commands.add_parser(
        "prompts",
        help="write what models are sent",
        description="Write what a model is sent, byte for byte, to DIR/SUITE.md; or that of one suite to standard output.",
    )
    prompts.add_argument(
        "folder", metavar="DIR|-", help="folder to write to, made if it is not there; -: standard output"
    )
    prompts.add_argument(
        "suites", metavar="SUITE", nargs="*", help="names or folders of suites; none: all the bundled ones"
    )
    prompts.set_defaults(run=_prompts)
    return parser


def _report(given: argparse.Namespace) -> int:
    kind, _, path = given.target.partition(":")
    if kind not in FORMATS:
        raise UsageFault(f"{given.target}: wanted FORMAT or FORMAT:PATH with FORMAT one of: {', '.join(FORMATS)}")
    runs = [read_run(run) for run in given.runs]
    merged = merge([(run.report, run.details) for run in runs])
    cut_off = [
        f"{run.folder}: was cut off, or is not over yet: this is what it has found" for run in runs if not run.is_whole
    ]
    for remark in (*cut_off, *merged.remarks):
        sys.stderr.write(f"llmbench report: {remark}\n")
    text = FORMATS[kind](merged.report, merged.details)
    if path in {"", _STDOUT}:
        _print(text)
    else:
        write_whole(_typed(path), text.encode())
    return EXIT_OK


def _compare(given: argparse.Namespace) -> int:
    before, after = read_run(given.before), read_run(given.after)
    bars = Bars(given.fail_under, given.drop, given.min_coverage, tuple(given.must_pass))
    found = compare(before, after, bars, given.allow_different)
    _print(found.text)
    return found.exit_code


def _schema(given: argparse.Namespace) -> int:
    _print(_SCHEMAS[given.name]())
    return EXIT_OK


def _prompts(given: argparse.Namespace) -> int:
    suites = find_suites(given.suites)
    if given.folder != _STDOUT:
        for path in write_prompts(_typed(given.folder), suites):
            _print(f"{path}\n")
    elif len(suites) == 1:
        _print(suites[0].prompt)
    else:
        raise UsageFault(f"-: wanted one suite, got {len(suites)}: {', '.join(suite.name for suite in suites)}")
    return EXIT_OK


def _typed(path: str) -> Path:
    """Return a path; shells leave the `~` of `html:~/out.html` to us."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - takes `~nobody` as it is


def _share(text: str) -> float:
    """Read a percentage, as the gate's options of pytest do."""
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = 0.0
    if not 0 < value <= 100:  # noqa: PLR2004 - per cent
        raise argparse.ArgumentTypeError(f"{text!r}: wanted more than 0 and at most 100")
    return value / 100


def _print(text: str) -> None:
    # In UTF-8 and with our line ends, whatever the locale is: prompts are told byte for byte.
    sys.stdout.buffer.write(text.encode())


def _one_line(fault: LlmbenchError) -> str:
    return " ".join(str(fault).split())


if __name__ == "__main__":
    sys.exit(main())
