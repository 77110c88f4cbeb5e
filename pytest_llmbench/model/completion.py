"""What came back: one answer of one endpoint to one suite's prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pytest_llmbench.model.decode import decode_rate, share_out
from pytest_llmbench.model.unknown import Unknown


class CaseKey(NamedTuple):
    """Names one completion of a run; shared by all checks of the suite."""

    endpoint: str
    suite: str
    sample: int
    """Counts from 1."""


def transcript_path(key: CaseKey) -> str:
    """Where the run folder keeps a completion, relative to the folder."""
    return f"completions/{key.endpoint}/{key.suite}-s{key.sample}.json"


def sample_seed(run_seed: int, suite: str, sample: int) -> int:
    """Return the seed of a sample for a server's sampler: the same for all endpoints of a run, 31 bits, never negative.

    It differs between suites, so that their answers are drawn independently of each other.
    """
    drawn = hashlib.sha256(f"{run_seed}/{suite}/{sample}".encode()).digest()
    return int.from_bytes(drawn[:4], "big") >> 1  # some servers take more bits, all take these


def answer_sha256(answer: str) -> str:
    """Return what tells whether two answers are the same: hex SHA-256 of the text without its reasoning."""
    return hashlib.sha256(answer.strip().encode("utf-8", "surrogatepass")).hexdigest()


class NetworkRead(NamedTuple):
    """One read from the socket."""

    at_s: float
    """Seconds on the monotonic clock since the request was sent."""
    size_bytes: int


class TextChunk(NamedTuple):
    """One event that carried generated text."""

    at_s: float
    """Time of the read that completed it, in seconds on the monotonic clock since the request was sent."""
    chars: int
    """Length of its text."""
    is_reasoning: bool
    """Whether the server sent it as reasoning; reasoning between tags in the content counts as content."""
    tokens: int | None = None
    """How many tokens it carried, by the server's own word (token ids, continuous usage); None where it did not say."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the server gave them; None where it did not."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """Reasoning included."""
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    """Prompt tokens that the server took from its prefix cache."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Client-side times of one stream, in seconds on the monotonic clock since the request was sent.

    Each is the time of the network read that completed the event concerned.
    """

    ttft_s: float | None = None
    """First event that carried generated text, reasoning or answer; a role chunk is no token."""
    ttft_answer_s: float | None = None
    """First event that carried text of the answer, outside reasoning."""
    last_token_s: float | None = None
    """Last event that carried generated text."""
    e2e_s: float | None = None
    """End of the stream."""
    text_chunks: int = 0
    """Events that carried generated text. Chunks are not tokens."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A whole answer as the client received it, before any interpretation of the text."""

    content: str
    """All `delta.content`, joined; may still hold reasoning between tags."""
    reasoning: str | None = None
    """All `delta.reasoning_content` or `delta.reasoning`, joined; None if the server sent none."""
    finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    timing: Timing = field(default_factory=Timing)
    reads: tuple[NetworkRead, ...] = ()
    served_model: str | None = None
    """The `model` field of the response."""
    server_timings: Mapping[str, Any] | None = None
    """The server's own figures where it sends them (llama-server: `timings`, vLLM: `metrics`), untouched."""
    attempts: int = 1
    """Requests made, retries included; only the last one was answered."""
    chunks: tuple[TextChunk, ...] = ()
    """In the order in which they came; empty for an answer that was not streamed."""
    transport: str | None = None
    """What took the times: `recorder` (at the socket) or `httpx` (at its reads); None for a replay."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One completion of a run, whole or failed; what the run folder keeps of it."""

    endpoint: str
    suite: str
    sample: int
    request: Mapping[str, Any]
    """The JSON body that was sent, for a replay the one that was sent then; empty if unknown."""
    started_at: str
    """UTC, ISO 8601."""
    exchange: Exchange | None = None
    error: str | None = None
    """One line: why there is no whole answer (`infra_error`). Exactly one of `exchange` and `error` is set."""
    concurrency: int | None = None
    """Requests that this endpoint was serving for us when this one was sent, itself included."""
    answer_sha256: str | None = None
    """Of the answer without its reasoning, see `answer_sha256`; None if there is none, or the record is older."""
    session: int = 1
    """Which session of the run asked for it; a run that was gone on with has several."""

    @property
    def key(self) -> CaseKey:
        """What names it."""
        return CaseKey(self.endpoint, self.suite, self.sample)

    @property
    def seed(self) -> int | None:
        """Of the server's sampler, as sent; None if none was."""
        seed = self.request.get("seed")
        return seed if isinstance(seed, int) and not isinstance(seed, bool) else None

    @property
    def decode_tok_s(self) -> float | None:
        """Tokens after the first read over the time from the first read to the last one; None where unknown.

        `model.decode` defines it.
        """
        if self.exchange is None:
            return None
        chunks, timing = self.exchange.chunks, self.exchange.timing
        said: list[int | None] = [chunk.tokens for chunk in chunks]
        at_s = [chunk.at_s for chunk in chunks]
        if not chunks and timing.ttft_s is not None and timing.last_token_s is not None:
            # Older records have no chunks; their number and the two times say as much as even shares need.
            said = [None] * timing.text_chunks
            at_s = [timing.ttft_s, *[timing.last_token_s] * (timing.text_chunks - 1)][: timing.text_chunks]
        tokens = share_out(said, self.exchange.usage.completion_tokens)
        rate = tokens if isinstance(tokens, Unknown) else decode_rate(at_s, tokens)
        return None if isinstance(rate, Unknown) else rate
