"""The gate's options: its bars, and how they are typed."""

from __future__ import annotations

from pytest_llmbench.model.settings import DROP_PERCENT, MIN_COVERAGE_PERCENT
from pytest_llmbench.option import Option


def percent(text: str) -> float:
    """Read per cent, with the sign or without it."""
    wanted = "wanted more than 0 and at most 100"
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        raise ValueError(wanted) from None
    if not 0 < value <= 100:  # noqa: PLR2004 - per cent
        raise ValueError(wanted)
    if value < 1 and not text.endswith("%"):
        # Who means nine in ten would get a bar that everything clears.
        raise ValueError(f"wanted per cent, such as {value * 100:g}; if less than one is meant, write {text}%")
    return value


def check_name(text: str) -> str:
    """Read SUITE/CHECK."""
    suite, slash, check = text.partition("/")
    if not slash or not suite or not check or check.startswith("test_"):
        raise ValueError("wanted SUITE/CHECK, the check without test_, such as stratum/byte_order")
    return text


def may_differ(text: str) -> str:
    """Read the name of what a baseline may have otherwise."""
    from pytest_llmbench.reports.comparable import MAY_DIFFER

    if text not in MAY_DIFFER:
        raise ValueError(f"wanted one of: {', '.join(MAY_DIFFER)}")
    return text


OPTIONS = (
    Option("fail-under", "PERCENT", "lowest pass rate that is good enough, such as 90", percent),
    Option(
        "drop", "POINTS", f"drop of the pass rate that has to show (default: {DROP_PERCENT:g})", percent, DROP_PERCENT
    ),
    Option(
        "min-coverage",
        "PERCENT",
        f"share of the checks that must have been judged (default: {MIN_COVERAGE_PERCENT:g})",
        percent,
        MIN_COVERAGE_PERCENT,
    ),
    Option("must-pass", "SUITE/CHECK", "a check that may fail not even once; repeatable", check_name, repeatable=True),
    Option(
        "allow-different",
        "NAME",
        "what need not be equal on both sides: prompts, suites or sampling; repeatable",
        may_differ,
        repeatable=True,
    ),
)
