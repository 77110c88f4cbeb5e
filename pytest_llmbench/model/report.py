"""The report of a run, `llmbench-report/1`: what other programs rely on. Figures that are not known are null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.endpoint import Sampling, ServerInfo
from pytest_llmbench.model.fields import Count, Ordinal, Share, described
from pytest_llmbench.model.serverfigures import ServerFigures
from pytest_llmbench.model.speed import SpeedRow

SCHEMA: Final = "llmbench-report/1"


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The run as a whole."""

    id: Annotated[str, described("unique name of the run")]
    started_at: Annotated[str, described("UTC, ISO 8601")]
    duration_s: Annotated[float, described("seconds from the start of the session to the writing of the report")]
    version: Annotated[str, described("of pytest-llmbench")]
    command: Annotated[tuple[str, ...], described("the command line, word by word")]
    seed: Annotated[int, described("what the judges' random inputs were drawn from")]
    host: Annotated[Mapping[str, Any], described("the client's machine, not the server's")]
    sandbox: Annotated[str, described("`bubblewrap`; `none` where the user asked for no isolation")]


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint."""

    name: Annotated[str, described("what the test ids call it")]
    url: Annotated[str | None, described("base URL; null for a replay")]
    model: Annotated[str | None, described("model id as sent in the request; null for a replay")]
    replay: Annotated[str | None, described("folder of recorded answers; empty for the bundled reference answers")]
    server: Annotated[ServerInfo, described("what is known of the server")]
    sampling: Annotated[Sampling, described("sampling parameters as sent")]
    extra_body: Annotated[Mapping[str, Any], described("further fields of the request body")]
    metadata: Annotated[Mapping[str, Any], described("the owner's notes")]
    problem: Annotated[str | None, described("why it could not be asked when the run began")]
    fingerprint: Annotated[str, described("hex SHA-256 of all that can change the answers; equal ones are comparable")]


@dataclass(frozen=True, slots=True)
class CompletionRow:
    """One answer. All times count from the moment when the request had been sent."""

    endpoint: Annotated[str, described("name of the endpoint")]
    suite: Annotated[str, described("name of the suite")]
    sample: Annotated[Ordinal, described("counts from 1")]
    finish_reason: Annotated[str | None, described("as the server gave it; `length` is the token limit")]
    prompt_tokens: Annotated[Count | None, described("as the server counted")]
    completion_tokens: Annotated[Count | None, described("as the server counted, reasoning included")]
    reasoning_tokens: Annotated[Count | None, described("as the server counted")]
    cached_tokens: Annotated[Count | None, described("prompt tokens that came from the server's prefix cache")]
    ttft_s: Annotated[float | None, described("seconds to the first generated text, reasoning or answer")]
    ttft_answer_s: Annotated[float | None, described("seconds to the first text of the answer, outside reasoning")]
    decode_tok_s: Annotated[
        float | None, described("tokens after the first chunk / seconds from the first chunk to the last")
    ]
    e2e_s: Annotated[float | None, described("seconds to the end of the stream")]
    concurrency: Annotated[Ordinal | None, described("our requests in flight to the endpoint, this one included")]
    attempts: Annotated[Ordinal | None, described("requests made, retries included")]
    error: Annotated[str | None, described("why there is no whole answer; null if there is one")]
    transcript: Annotated[str, described("path of the whole record, relative to the run folder")]
    server: Annotated[ServerFigures | None, described("what the server says of this answer; null if nothing")] = None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """Checks counted."""

    endpoint: Annotated[str, described("name of the endpoint")]
    suite: Annotated[str | None, described("name of the suite; null for all of them together")]
    passed: Annotated[Count, described("checks that passed")]
    scored: Annotated[Count, described("checks that say something about the model")]
    coverage: Annotated[Share, described("scored / all checks that were run")]
    rate: Annotated[Share | None, described("passed / scored; null if nothing was scored")]
    low: Annotated[Share | None, described("lower end of the 95 % Wilson interval of the rate")]
    high: Annotated[Share | None, described("upper end of the 95 % Wilson interval of the rate")]


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the bar was met."""

    verdict: Annotated[Literal["met", "not_met", "inconclusive"] | None, described("null if no bar was set")]
    reasons: Annotated[tuple[str, ...], described("why")]


@dataclass(frozen=True, slots=True)
class Report:
    """All that a run found."""

    schema: Annotated[Literal["llmbench-report/1"], described("name and version of this form; look at it first")]
    run: Annotated[RunInfo, described("the run as a whole")]
    endpoints: Annotated[tuple[EndpointRow, ...], described("in the order in which they were given")]
    completions: Annotated[tuple[CompletionRow, ...], described("one for each endpoint, suite and sample")]
    checks: Annotated[tuple[Check, ...], described("one for each test that was run")]
    speed: Annotated[tuple[SpeedRow, ...], described("one for each workload that was measured")]
    scores: Annotated[tuple[ScoreRow, ...], described("for each endpoint, each suite and then all of them")]
    gate: Annotated[Gate, described("whether the bar was met")]
