"""The six ways a check can end."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How one check of one answer ended. The first four are scored, only `PASSED` as 1."""

    PASSED = "passed"
    WRONG = "wrong"
    """The answer was run and did not do what was asked, or held nothing that could be run."""
    TRUNCATED = "truncated"
    """The model ran into its token limit (finish reason `length`)."""
    EMPTY = "empty"
    """No answer at all, or reasoning only."""
    INFRA_ERROR = "infra_error"
    """Endpoint, network, server or sandbox. Leaves the score and lowers the coverage."""
    GRADER_ERROR = "grader_error"
    """This package's own fault. Leaves the score and lowers the coverage."""

    @property
    def scored(self) -> bool:
        """Whether the outcome says something about the model."""
        return self not in (Outcome.INFRA_ERROR, Outcome.GRADER_ERROR)
