"""From what a check raised to how it ended, and to what pytest shows of it."""

from __future__ import annotations

import pytest

from pytest_llmbench.check import Attempt
from pytest_llmbench.errors import AnswerFault, InfraError
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.reports.junit import completion_properties


def outcome_of(error: BaseException | None, *, truncated: bool) -> Outcome:
    """Say how a check ended.

    Args:
        error: what the check raised; None if it passed.
        truncated: whether the model ran into its token limit.
    """
    match error:
        case None:
            return Outcome.PASSED
        case InfraError():
            return Outcome.INFRA_ERROR
        case AnswerFault():
            outcome = Outcome(error.outcome)
        case AssertionError() | pytest.fail.Exception():
            outcome = Outcome.WRONG
        case _:
            return Outcome.GRADER_ERROR
    # A cut answer can be whole enough to pass; where it is not, the limit is to blame rather than the model's skill.
    return Outcome.TRUNCATED if truncated and outcome is Outcome.WRONG else outcome


def tell(item: pytest.Item, report: pytest.TestReport, error: BaseException | None, attempt: Attempt | None) -> None:
    """Write the verdict on one check into its test report, which carries it to JUnit, xdist and the recorder."""
    outcome = outcome_of(error, truncated=attempt is not None and attempt.truncated)
    item.user_properties.append(("outcome", outcome.value))
    if attempt is not None:
        item.user_properties += _properties(attempt)
        if outcome is not Outcome.PASSED:
            report.sections.append(("llmbench", attempt.notes()))
    report.user_properties = list(item.user_properties)
    if isinstance(error, InfraError | AnswerFault):
        report.longrepr = f"{outcome}: {error}"
    if not outcome.scored:
        # pytest calls what fails before the call an error, and only what the call asserts a failure.
        report.when = "setup"


def _properties(attempt: Attempt) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    if attempt.completion is not None:
        found += completion_properties(attempt.completion)
    if (sandbox := attempt.sandbox) is not None:
        found += [("sandbox", sandbox.kind), ("limits", " ".join(sandbox.limits_in_force))]
    if attempt.log is not None:
        found.append(("log", attempt.log))
    return found
