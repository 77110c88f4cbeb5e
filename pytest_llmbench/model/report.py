"""The report of a run, `llmbench-report/1`: what other programs rely on. Figures that are not known are null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from msgspec import Meta

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.endpoint import Sampling, ServerInfo
from pytest_llmbench.model.speed import SpeedRow

SCHEMA: Final = "llmbench-report/1"


Count = Annotated[int, Meta(ge=0)]
Ordinal = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]


def _field(description: str) -> Meta:
    """What the schema says of a field."""
    return Meta(description=description)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The run as a whole."""

    id: Annotated[str, _field("unique name of the run")]
    started_at: Annotated[str, _field("UTC, ISO 8601")]
    duration_s: Annotated[float, _field("seconds from the start of the session to the writing of the report")]
    version: Annotated[str, _field("of pytest-llmbench")]
    command: Annotated[tuple[str, ...], _field("the command line, word by word")]
    seed: Annotated[int, _field("what the judges' random inputs were drawn from")]
    host: Annotated[Mapping[str, Any], _field("the client's machine, not the server's")]
    sandbox: Annotated[str, _field("`bubblewrap`; `none` where the user asked for no isolation")]


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint."""

    name: Annotated[str, _field("what the test ids call it")]
    url: Annotated[str | None, _field("base URL; null for a replay")]
    model: Annotated[str | None, _field("model id as sent in the request; null for a replay")]
    replay: Annotated[str | None, _field("folder of recorded answers; empty for the bundled reference answers")]
    server: Annotated[ServerInfo, _field("what is known of the server")]
    sampling: Annotated[Sampling, _field("sampling parameters as sent")]
    extra_body: Annotated[Mapping[str, Any], _field("further fields of the request body")]
    metadata: Annotated[Mapping[str, Any], _field("the owner's notes")]
    problem: Annotated[str | None, _field("why it could not be asked when the run began")]
    fingerprint: Annotated[str, _field("hex SHA-256 of all that can change the answers; equal ones are comparable")]


@dataclass(frozen=True, slots=True)
class CompletionRow:
    """One answer. All times count from the moment when the request had been sent."""

    endpoint: Annotated[str, _field("name of the endpoint")]
    suite: Annotated[str, _field("name of the suite")]
    sample: Annotated[Ordinal, _field("counts from 1")]
    finish_reason: Annotated[str | None, _field("as the server gave it; `length` is the token limit")]
    prompt_tokens: Annotated[Count | None, _field("as the server counted")]
    completion_tokens: Annotated[Count | None, _field("as the server counted, reasoning included")]
    reasoning_tokens: Annotated[Count | None, _field("as the server counted")]
    cached_tokens: Annotated[Count | None, _field("prompt tokens that came from the server's prefix cache")]
    ttft_s: Annotated[float | None, _field("seconds to the first generated text, reasoning or answer")]
    ttft_answer_s: Annotated[float | None, _field("seconds to the first text of the answer, outside reasoning")]
    decode_tok_s: Annotated[
        float | None, _field("tokens after the first chunk / seconds from the first chunk to the last")
    ]
    e2e_s: Annotated[float | None, _field("seconds to the end of the stream")]
    concurrency: Annotated[Ordinal | None, _field("our requests in flight to the endpoint, this one included")]
    attempts: Annotated[Ordinal | None, _field("requests made, retries included")]
    error: Annotated[str | None, _field("why there is no whole answer; null if there is one")]
    transcript: Annotated[str, _field("path of the whole record, relative to the run folder")]


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """Checks counted."""

    endpoint: Annotated[str, _field("name of the endpoint")]
    suite: Annotated[str | None, _field("name of the suite; null for all of them together")]
    passed: Annotated[Count, _field("checks that passed")]
    scored: Annotated[Count, _field("checks that say something about the model")]
    coverage: Annotated[Share, _field("scored / all checks that were run")]
    rate: Annotated[Share | None, _field("passed / scored; null if nothing was scored")]
    low: Annotated[Share | None, _field("lower end of the 95 % Wilson interval of the rate")]
    high: Annotated[Share | None, _field("upper end of the 95 % Wilson interval of the rate")]


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the bar was met."""

    verdict: Annotated[Literal["met", "not_met", "inconclusive"] | None, _field("null if no bar was set")]
    reasons: Annotated[tuple[str, ...], _field("why")]


@dataclass(frozen=True, slots=True)
class Report:
    """All that a run found."""

    schema: Annotated[Literal["llmbench-report/1"], _field("name and version of this form; look at it first")]
    run: Annotated[RunInfo, _field("the run as a whole")]
    endpoints: Annotated[tuple[EndpointRow, ...], _field("in the order in which they were given")]
    completions: Annotated[tuple[CompletionRow, ...], _field("one for each endpoint, suite and sample")]
    checks: Annotated[tuple[Check, ...], _field("one for each test that was run")]
    speed: Annotated[tuple[SpeedRow, ...], _field("one for each workload that was measured")]
    scores: Annotated[tuple[ScoreRow, ...], _field("for each endpoint, each suite and then all of them")]
    gate: Annotated[Gate, _field("whether the bar was met")]
