"""What a server is asked to do when its speed is measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class Shape(StrEnum):
    """What the requests look like."""

    PLAIN = "plain"
    """One message, unique from its first word."""
    SHARED_PREFIX = "shared-prefix"
    """The depth is the same in all requests, so that it can come from a cache; the rest is unique."""
    AGENTIC = "agentic"
    """Tool definitions, calls and their results, and a turn that calls for another tool."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing to measure."""

    name: str
    prompt_tokens: int
    """Length of the prompt after the depth."""
    answer_tokens: int
    concurrency: int | None = 1
    """Requests in flight; None if they arrive by themselves, `rate_s` a second."""
    rate_s: float | None = None
    depth_tokens: int = 0
    """Tokens in front of the prompt."""
    text: str = "prose"
    """Kind of text, see `prompts.KINDS`."""
    shape: Shape = Shape.PLAIN
    requests: int = 1
    """In one round."""
    lengths_tokens: tuple[int, ...] = ()
    """Lengths of the prompts of a round, one after the other; empty: `prompt_tokens`, all of them."""
    rounds: int = 3

    @property
    def tokens(self) -> int:
        """Of its longest request, prompt and answer together."""
        return self.depth_tokens + max((self.prompt_tokens, *self.lengths_tokens)) + self.answer_tokens

    def at(self, concurrency: int) -> Workload:
        """Return the same with so many requests in flight, each user sending two one after the other."""
        return replace(self, concurrency=concurrency, requests=2 * concurrency)


SINGLE_STREAM = Workload("single-stream", prompt_tokens=512, answer_tokens=256)
SWEEP = Workload("sweep", prompt_tokens=256, answer_tokens=128)
ANSWERS: Mapping[str, int] = {"short": 20, "medium": 150, "long": 400}
DEPTHS_TOKENS = (0, 512, 2048, 8192, 16384, 32768, 65536, 131072)
"""Those that the server's context does not hold are skipped."""
SHAPES: Mapping[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload("short", prompt_tokens=64, answer_tokens=64),
        Workload("long-prompt", prompt_tokens=4096, answer_tokens=64),
        Workload("long-answer", prompt_tokens=128, answer_tokens=1024),
        Workload("code", prompt_tokens=512, answer_tokens=256, text="code"),
        Workload("agentic", prompt_tokens=2048, answer_tokens=128, shape=Shape.AGENTIC),
        Workload("agentic-c4", prompt_tokens=2048, answer_tokens=128, shape=Shape.AGENTIC, concurrency=4, requests=8),
    )
}
CACHED_PREFIX = Workload(
    "cached-prefix", depth_tokens=4096, prompt_tokens=128, answer_tokens=64, shape=Shape.SHARED_PREFIX
)
PREFILL = Workload("prefill", prompt_tokens=4096, answer_tokens=8, lengths_tokens=(512, 1024, 2048, 4096), requests=4)
OPEN_LOOP = Workload("open-loop", prompt_tokens=256, answer_tokens=128, concurrency=None, rate_s=2.0, requests=20)


def depth_matrix() -> Iterable[tuple[str, Workload]]:
    """Yield the cells of the depth matrix with their names, such as `d2048-short`."""
    for depth_tokens in DEPTHS_TOKENS:
        for length, answer_tokens in ANSWERS.items():
            workload = Workload("depth", prompt_tokens=128, answer_tokens=answer_tokens, depth_tokens=depth_tokens)
            yield f"d{depth_tokens}-{length}", workload
