"""The texts behind a report, as a report reads them: what was asked, what came back, what was seen of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from pytest_llmbench.model.completion import Completion


class Details(Protocol):
    """Knows the texts of one or several run folders; what is not there is None or empty."""

    def completion(self, endpoint: str, suite: str, sample: int) -> Completion | None:
        """Return the record of an answer, its reasoning apart from its content wherever it came; samples count from 1."""

    def prompt(self, suite: str) -> str | None:
        """Return what the suite asked, as of that run."""

    def program(self, suite: str) -> Mapping[str, str]:
        """Return path -> text of the program as it was given to the models; empty if unknown."""

    def candidate(self, endpoint: str, suite: str, sample: int) -> Mapping[str, str]:
        """Return path -> text as the answer made it, its files laid over the program; empty if there is none."""

    def text(self, path: str) -> str | None:
        """Return a file of the run folder, such as a log; the path is relative to the folder."""


class _NoDetails:
    """Knows nothing."""

    def completion(self, endpoint: str, suite: str, sample: int) -> None:
        """Know no answer."""

    def prompt(self, suite: str) -> None:
        """Know no prompt."""

    def program(self, suite: str) -> Mapping[str, str]:  # noqa: ARG002  the protocol's
        """Know no program."""
        return {}

    def candidate(self, endpoint: str, suite: str, sample: int) -> Mapping[str, str]:  # noqa: ARG002  the protocol's
        """Know no files."""
        return {}

    def text(self, path: str) -> None:
        """Know no text."""


NO_DETAILS: Final[Details] = _NoDetails()
"""Of a report whose run folder is not at hand."""
