"""The errors of this package, sorted by whose fault they are.

LlmbenchError
├── UsageFault               the person at the command line: becomes `pytest.UsageError`
├── AnswerFault              the model: a failed test (`wrong`, `truncated` or `empty`)
├── InfraError               neither: a pytest error, outcome `infra_error`
│   ├── EndpointError        the endpoint, its network or its server
│   │   └── ContextTooSmallError
│   └── SandboxError         the sandbox could not be set up, or broke
└── GraderError              this package or a suite's judge: a pytest error, outcome `grader_error`
"""

from __future__ import annotations

from typing import Literal


class LlmbenchError(Exception):
    """Base of every error that this package raises on purpose."""


class UsageFault(LlmbenchError):
    """What was asked for cannot be meant. The message is one line: what, got, wanted, the valid choices."""


class AnswerFault(LlmbenchError):
    """The model's answer fails before a judge can look at it.

    Args:
        message: one or more lines for the owner of the model, in the terms of the trade.
        outcome: how the check ends; see `pytest_llmbench.model.outcome.Outcome`.
    """

    def __init__(self, message: str, outcome: Literal["wrong", "truncated", "empty"] = "wrong") -> None:
        super().__init__(message)
        self.outcome = outcome


class InfraError(LlmbenchError):
    """Something between us and a verdict broke; it says nothing about the model."""


class EndpointError(InfraError):
    """The endpoint did not give a whole answer. The message is one line and names the endpoint's URL."""


class ContextTooSmallError(EndpointError):
    """The server refused a prompt because it is longer than its context."""


class SandboxError(InfraError):
    """The sandbox could not be built or stopped working; the candidate is not to blame."""


class GraderError(LlmbenchError):
    """This package or a judge misbehaved."""
