"""From what a check raised to how it ended, and to what pytest shows of it."""

from __future__ import annotations

import re
from typing import Literal

import pytest

from pytest_llmbench.check import Attempt
from pytest_llmbench.errors import AnswerFault, InfraError
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.nodeids import CheckId
from pytest_llmbench.reports.junit import completion_properties

EVIDENCE_CHARS = 2_000
_ADDRESS = re.compile(r"(?<=\w) at 0x[0-9a-f]+>")
"""Of an object of Python's, in what pytest says of an assertion."""
CARRIED = "llmbench_check"
"""Attribute of a test report, which xdist carries to the controller: the check as JSON."""
CARRIED_SPEED = "llmbench_speed"
"""The same for the rows of a speed test."""


def outcome_of(error: BaseException | None, when: Literal["setup", "call"], *, truncated: bool) -> Outcome:
    """Say how a check ended.

    Args:
        error: what was raised; None if the check passed.
        when: an assertion that fails before the check is called is nobody's verdict on the model.
        truncated: whether the model ran into its token limit.
    """
    match error, when:
        case None, _:
            return Outcome.PASSED
        case InfraError(), _:
            return Outcome.INFRA_ERROR
        case AnswerFault(), _:
            outcome = Outcome(error.outcome)
        case ((AssertionError() | pytest.fail.Exception()), "call"):
            outcome = Outcome.WRONG
        case _:
            return Outcome.GRADER_ERROR
    # A cut answer can be whole enough to pass; where it is not, the limit is to blame rather than the model's skill.
    return Outcome.TRUNCATED if truncated and outcome is Outcome.WRONG else outcome


def tell(
    item: pytest.Item, report: pytest.TestReport, key: CaseKey, error: BaseException | None, attempt: Attempt | None
) -> None:
    """Write the verdict on one check into its test report, which carries it to JUnit, xdist and the recorder."""
    when: Literal["setup", "call"] = "call" if report.when == "call" else "setup"
    outcome = outcome_of(error, when, truncated=attempt is not None and attempt.truncated)
    if isinstance(error, InfraError | AnswerFault):
        report.longrepr = f"{outcome}: {error}"
    if attempt is not None and outcome is not Outcome.PASSED:
        report.sections.append(("llmbench", attempt.notes()))
    logs = attempt.logs if attempt is not None else ()
    check = Check(
        **key._asdict(),
        check=item.originalname.removeprefix("test_"),  # type: ignore[attr-defined]
        outcome=outcome,
        evidence=_evidence(report),
        duration_s=report.duration,
        nodeid=report.nodeid,
        sandbox=attempt.sandbox if attempt is not None else None,
        log=logs[-1] if logs else None,
        earlier_logs=logs[:-1],
    )
    _write(item, report, check, attempt)


def end_again(check: Check) -> None:
    """End a test as its check ended before.

    Raises:
        AssertionError: it did not pass.
    """
    if check.outcome is not Outcome.PASSED:
        raise AssertionError(check.evidence)


def tell_again(item: pytest.Item, report: pytest.TestReport, check: Check, attempt: Attempt | None) -> None:
    """Write the verdict that was made before into the report of a test that was not run again."""
    if report.failed:
        report.longrepr = f"{check.evidence}\n(judged before the run was cut off)"
        report.sections = [("llmbench", attempt.notes())] if attempt is not None else []
    _write(item, report, check, attempt)


def tell_crash(report: pytest.TestReport, known: CheckId) -> None:
    """Write into the report of a test whose worker died what its id still tells."""
    check = Check(
        **known.key._asdict(),
        check=known.check,
        outcome=Outcome.GRADER_ERROR,
        evidence=_evidence(report),
        duration_s=report.duration,
        nodeid=report.nodeid,
    )
    _carry(report, check)
    report.user_properties = list(_properties(check, None))


def carry_speed(report: pytest.TestReport, rows: tuple[SpeedRow, ...]) -> None:
    """Let a test's report carry what was measured."""
    setattr(report, CARRIED_SPEED, encode(rows).decode())


def carried_speed(report: pytest.TestReport) -> tuple[SpeedRow, ...]:
    """Return what a test's report carries of speed; empty if nothing."""
    text = getattr(report, CARRIED_SPEED, None)
    return () if text is None else decode(text.encode(), tuple[SpeedRow, ...])


def carried(report: pytest.TestReport) -> Check | None:
    """Return the check that a test report carries."""
    text = getattr(report, CARRIED, None)
    return None if text is None else decode(text.encode(), Check)


def _write(item: pytest.Item, report: pytest.TestReport, check: Check, attempt: Attempt | None) -> None:
    own = dict(_properties(check, attempt))
    # A test that runs a second time (rerun plugins) must not carry both results.
    item.user_properties[:] = [known for known in item.user_properties if known[0] not in own] + list(own.items())
    _carry(report, check)
    report.user_properties = list(item.user_properties)


def _carry(report: pytest.TestReport, check: Check) -> None:
    setattr(report, CARRIED, encode(check).decode())
    if not check.outcome.scored:
        # pytest calls what fails before the call an error, and only what the call asserts a failure.
        report.when = "setup"


def _evidence(report: pytest.TestReport) -> str | None:
    if report.passed:
        return None
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash is not None else report.longrepr)
    return _ADDRESS.sub(">", text)[:EVIDENCE_CHARS]  # else no two runs would say the same


def _properties(check: Check, attempt: Attempt | None) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = [
        (name, getattr(check, name)) for name in ("endpoint", "suite", "check", "sample", "outcome")
    ]
    found[-1] = ("outcome", check.outcome.value)
    if attempt is not None and attempt.completion is not None:
        found += completion_properties(attempt.completion)
    if check.sandbox is not None:
        found.append(("sandbox", check.sandbox.kind))
    return found
