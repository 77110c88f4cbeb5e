"""A failed check in a few lines: what it wanted, what happened, where. The source of our tests would tell no more."""

from __future__ import annotations

import inspect
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_llmbench.run import CASE

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr

MAX_LINES = 12
"""Of what happened; the report has all of it."""


class Brief:
    """Has pytest show the verdict on an answer, unless the user asked for a traceback of some kind."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Shorten what is shown of a failure, once its verdict is written down."""
        report = yield
        if CASE in item.stash and report.failed and call.excinfo is not None and _is_wanted(item.config):
            from pytest_llmbench.verdict import carried

            check = carried(report)
            if check is not None and check.outcome.scored:
                happened = what_happened((check.evidence or "").removeprefix(f"{check.outcome}: "))
                happened[0] = f"{check.outcome}: {happened[0]}"
                report.longrepr = _shown(call.excinfo, happened, [*_wanted(item), *happened, *_beside(report, item)])
        return report


def what_happened(evidence: str) -> list[str]:
    """Return what an assertion says, without pytest's explanation where it has a message of its own.

    Control characters become escapes: an answer has its part in what is said of it.
    """
    text = evidence.removeprefix("AssertionError: ").removeprefix("Failed: ").strip()
    if not text.startswith("assert "):
        text = text.partition("\nassert ")[0]
    lines = ["".join(map(_visible, line)) for line in text.splitlines()] or ["no reason given"]
    return lines if len(lines) <= MAX_LINES else [*lines[: MAX_LINES - 1], "…"]


def _shown(error: pytest.ExceptionInfo[BaseException], happened: Sequence[str], lines: Sequence[str]) -> TerminalRepr:
    """Put lines into pytest's own kind of text: JUnit and the short summary find in it what happened, and xdist carries it."""
    shown = error.getrepr(style="value", chain=False)
    shown.reprtraceback.reprentries[-1].lines = lines
    if shown.reprcrash is not None:
        shown.reprcrash.message = "\n".join(happened)
    return shown


def _wanted(item: pytest.Item) -> list[str]:
    """Return what a check wants: the first paragraph of its docstring."""
    told = inspect.getdoc(getattr(item, "function", None)) or ""
    words = told.partition("\n\n")[0].split()
    return [f"wanted: {' '.join(words)}"] if words else []


def _beside(report: pytest.TestReport, item: pytest.Item) -> list[str]:
    """Return where it was asserted; of a check that ended before, what is said of that."""
    if isinstance(report.longrepr, str):
        last = report.longrepr.splitlines()[-1:]
        return [line for line in last if line.startswith("(")]
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return []
    here, place = item.config.invocation_params.dir, Path(crash.path)
    return [f"at {place.relative_to(here) if place.is_relative_to(here) else place}:{crash.lineno}"]


def _is_wanted(config: pytest.Config) -> bool:
    kinds = (("tbstyle", "auto"), ("showlocals", False), ("fulltrace", False))
    return all(config.getoption(name, usual) == usual for name, usual in kinds)  # without a terminal there are none


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()
