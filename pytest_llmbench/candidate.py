"""An answer as a judge gets it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pytest_llmbench.answers import extract_files, split_reasoning
from pytest_llmbench.errors import AnswerFault
from pytest_llmbench.model.completion import Completion
from pytest_llmbench.sandbox.api import Job, Process, Sandbox
from pytest_llmbench.suite import Suite

T = TypeVar("T")


class Observe(Protocol):
    """What the fixture `observe` gives to a check."""

    def __call__(self, scenario: Callable[[Candidate], T], /) -> T:
        """Let `scenario` look at the candidate, once for all checks of the same answer that ask for it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer, ready to be run by a judge."""

    files: Mapping[str, str]
    """The whole program with the answer's files laid over it."""
    answer: str
    """The text of the answer without its reasoning."""
    rng: random.Random
    """All that a scenario draws at random comes from here; the same for every endpoint of a run."""
    sandbox: Sandbox
    started: list[Process] = field(default_factory=list)
    """Every job so far."""

    def start(self, job: Job) -> Process:
        """Start a job in the sandbox; what it prints is kept in the run folder."""
        process = self.sandbox.start(job)
        self.started.append(process)
        return process


def read_answer(completion: Completion, suite: Suite) -> tuple[Mapping[str, str], str]:
    """Return the candidate's files and the text of the answer.

    Raises:
        AnswerFault: there is no answer, or no file in it.
    """
    exchange = completion.exchange
    content = exchange.content if exchange is not None else ""
    truncated = exchange is not None and exchange.finish_reason == "length"
    split = split_reasoning(content)
    if not split.answer.strip():
        reasoning = split.reasoning or (exchange.reasoning if exchange is not None else None)
        got = "only reasoning" if reasoning else "nothing"
        if truncated:
            raise AnswerFault(
                f"the model ran into max_tokens and had returned {got}; raise --llm-max-tokens", "truncated"
            )
        raise AnswerFault(f"the model returned {got}; wanted: {', '.join(suite.wanted)}", "empty")
    return extract_files(split.answer, suite.program, suite.wanted).files, split.answer
