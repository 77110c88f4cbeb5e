"""Request bodies of a workload: unique, and as long in tokens as was wanted, by the server's own count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple

from pytest_llmbench.client import build_body
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.speed.agentic import conversation
from pytest_llmbench.speed.lengths import Calibration
from pytest_llmbench.speed.prompts import prompt, with_shared_prefix
from pytest_llmbench.speed.workloads import Shape, Workload

GUESS = Calibration(chars_per_token=4.0, fixed_tokens=0.0)
"""Where a server does not count prompt tokens: what English text has with most tokenisers."""

TURNS = 4
"""Calls that were already made and answered in a conversation of an agent."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Fields that some servers know and others refuse."""

    about: str
    stream_options: Mapping[str, bool]
    fixes_length: bool

    def fields(self, answer_tokens: int) -> dict[str, Any]:
        """Return the fields for an answer of that length."""
        fixed = {"ignore_eos": True, "min_tokens": answer_tokens} if self.fixes_length else {}
        return {"stream_options": dict(self.stream_options), "max_tokens": answer_tokens, **fixed}


DIALECTS = (
    Dialect(
        "tokens told with each chunk, length fixed",
        {"include_usage": True, "continuous_usage_stats": True},
        fixes_length=True,
    ),
    Dialect("length fixed", {"include_usage": True}, fixes_length=True),
    Dialect("plain OpenAI", {"include_usage": True}, fixes_length=False),
)
"""From the one that tells most to the one that every server takes."""


class Length(NamedTuple):
    """What prompts of one kind are aimed at."""

    shape: Shape
    text: str
    tokens: int


@dataclass(slots=True)
class Questions:
    """Makes the request bodies for one endpoint; no two of a run begin alike."""

    endpoint: Endpoint
    seed: str
    dialect: Dialect | None = None
    """None before it was learned."""
    calibrations: dict[tuple[Shape, str], Calibration] = field(default_factory=dict)
    corrections: dict[Length, Calibration] = field(default_factory=dict)
    """For lengths at which prompts were counted."""
    numbers: count[int] = field(default_factory=count)

    def length_of(self, workload: Workload) -> Length:
        """Return what the workload's prompts are aimed at, the depth included."""
        return Length(workload.shape, workload.text, workload.depth_tokens + workload.prompt_tokens)

    def body(self, workload: Workload) -> tuple[dict[str, Any], int]:
        """Return a request and the characters of its prompt."""
        general = self.calibrations.get((workload.shape, workload.text), GUESS)
        calibration = self.corrections.get(self.length_of(workload), general)
        asked = _PARTS[workload.shape](workload, calibration, self.seed, next(self.numbers))
        fields = (self.dialect or DIALECTS[-1]).fields(workload.answer_tokens)
        return build_body(self.endpoint, "") | fields | asked.parts | dict(self.endpoint.extra_body), asked.chars


class _Asked(NamedTuple):
    """What one shape puts into a request."""

    parts: dict[str, Any]
    chars: int
    """What decides the number of tokens: of the text, or of what stands for it."""


def _message(text: str) -> _Asked:
    return _Asked({"messages": [{"role": "user", "content": text}]}, len(text))


def _plain(workload: Workload, calibration: Calibration, seed: str, number: int) -> _Asked:
    chars = calibration.chars(workload.depth_tokens + workload.prompt_tokens)
    return _message(prompt(workload.text, seed, number, chars))


def _shared_prefix(workload: Workload, calibration: Calibration, seed: str, number: int) -> _Asked:
    prefix_chars = calibration.chars(workload.depth_tokens)
    chars = round(workload.prompt_tokens * calibration.chars_per_token)
    return _message(with_shared_prefix(workload.text, seed, number, prefix_chars, chars))


def _agentic(workload: Workload, calibration: Calibration, seed: str, number: int) -> _Asked:
    chars = calibration.chars(workload.depth_tokens + workload.prompt_tokens)
    around = conversation(seed, number, TURNS, 0).chars
    result_chars = max(0, (chars - around) // TURNS)
    talk = conversation(seed, number, TURNS, result_chars)
    # Not the JSON of it all: what a template makes of tools differs by model, and no text of the results grows by the
    # backslashes that JSON puts before its quotes and line ends.
    return _Asked({"messages": list(talk.messages), "tools": list(talk.tools)}, around + TURNS * result_chars)


_PARTS = {Shape.PLAIN: _plain, Shape.SHARED_PREFIX: _shared_prefix, Shape.AGENTIC: _agentic}
