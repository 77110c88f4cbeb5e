"""Prompts by tokens without a tokeniser: the server's counts of some say how many characters another one needs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pytest_llmbench.model.unknown import Unknown

TOLERANCE = 0.01


class Counted(NamedTuple):
    """A prompt that the server has counted."""

    chars: int
    """Of its text, or as they were asked of `prompts.prompt`: one or the other for all."""
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How many tokens a text of one kind has for one server."""

    chars_per_token: float
    fixed_tokens: float
    """What the chat template adds, whatever the text."""

    def chars(self, tokens: int) -> int:
        """Return the length in characters of a prompt with that many tokens, template included; at least 1."""
        return max(1, round((tokens - self.fixed_tokens) * self.chars_per_token))

    def corrected(self, prompts: Sequence[Counted]) -> Calibration:
        """Return the calibration that is right for the mean of some prompts of about the wanted length."""
        own_tokens = sum(each.prompt_tokens - self.fixed_tokens for each in prompts)
        chars = sum(each.chars for each in prompts)
        return replace(self, chars_per_token=chars / own_tokens) if own_tokens > 0 else self


def calibrate(prompts: Sequence[Counted]) -> Calibration | Unknown:
    """Fit a line through the counts; two lengths at least, some hundred characters apart."""
    if len({each.chars for each in prompts}) <= 1:
        return Unknown("prompts of two lengths are needed to tell the text from the chat template")
    slope, fixed_tokens = statistics.linear_regression(*zip(*prompts, strict=True))
    if slope <= 0:
        return Unknown("the server counts no more tokens in a longer prompt")
    return Calibration(1 / slope, fixed_tokens)


def near(wanted_tokens: int, prompt_tokens: int) -> bool:
    """Whether a prompt is as long as wanted, to within 1 % or one token."""
    return abs(prompt_tokens - wanted_tokens) <= max(1.0, TOLERANCE * wanted_tokens)
