"""The gate's bars as they are typed, for pytest's options and the command's alike: each raises a `ValueError` that says what was wanted."""

from __future__ import annotations


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
