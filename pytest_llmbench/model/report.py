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
    seed: Annotated[
        int | None,
        described("what the judges' random inputs were drawn from; null where runs of different seeds were merged"),
    ]
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
    answer_sha256: Annotated[
        str | None,
        described("hex SHA-256 of the answer without reasoning; at temperature 0 equal ones count once; null: none"),
    ] = None
    seed: Annotated[int | None, described("of the server's sampler, as sent; null: none was sent")] = None


@dataclass(frozen=True, slots=True)
class SuiteRow:
    """One task, as it was at the time."""

    name: Annotated[str, described("name of the suite")]
    title: Annotated[str, described("what it is about")]
    difficulty: Annotated[str, described("as its marker calls it")]
    prompt_sha256: Annotated[str, described("hex SHA-256 of what the model was sent")]
    version: Annotated[str, described("hex SHA-256 over everything that asks and judges")]
    judge_sha256: Annotated[
        str | None, described("hex SHA-256 over everything that judges; null in reports of older versions")
    ] = None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """Checks counted; those of an answer that was repeated at temperature 0 once."""

    endpoint: Annotated[str, described("name of the endpoint")]
    suite: Annotated[str | None, described("name of the suite; null for all of them together")]
    passed: Annotated[Count, described("checks that passed")]
    scored: Annotated[Count, described("checks that say something about the model")]
    coverage: Annotated[Share, described("scored / all checks that were run, those of repeated answers included")]
    rate: Annotated[Share | None, described("passed / scored; null if nothing was scored")]
    low: Annotated[Share | None, described("lower end of the 95 % interval of the rate, with answers drawn anew")]
    high: Annotated[Share | None, described("upper end of the 95 % interval of the rate, with answers drawn anew")]
    completions: Annotated[Count | None, described("answers that count, of which a check was scored")] = None
    pass_at_k: Annotated[
        tuple[Share, ...],
        described("for k = 1, 2, …: chance that at least one of k answers passes a check, mean over checks"),
    ] = ()
    pass_hat_k: Annotated[
        tuple[Share, ...], described("for k = 1, 2, …: chance that all of k answers pass a check, mean over checks")
    ] = ()
    flickers: Annotated[Count | None, described("checks that one answer passed and another one failed")] = None


@dataclass(frozen=True, slots=True)
class CheckScore:
    """One check of one endpoint over its answers that count."""

    endpoint: Annotated[str, described("name of the endpoint")]
    suite: Annotated[str, described("name of the suite")]
    check: Annotated[str, described("name of the check")]
    difficulty: Annotated[str | None, described("of the suite; null if unknown")]
    must_pass: Annotated[bool, described("whether the gate lets it fail not even once")]
    passed: Annotated[Count, described("answers that passed it")]
    scored: Annotated[Count, described("answers of which it says something about the model")]
    rate: Annotated[Share | None, described("passed / scored; null if nothing was scored")]
    low: Annotated[Share | None, described("lower end of the 95 % interval of the rate")]
    high: Annotated[Share | None, described("upper end of the 95 % interval of the rate")]
    flickers: Annotated[bool, described("whether one answer passed it and another one failed")]


@dataclass(frozen=True, slots=True)
class DifficultyScore:
    """The checks of one difficulty counted, as in `ScoreRow`."""

    endpoint: Annotated[str, described("name of the endpoint")]
    difficulty: Annotated[str, described("as the suites' marker calls it")]
    passed: Annotated[Count, described("checks that passed")]
    scored: Annotated[Count, described("checks that say something about the model")]
    rate: Annotated[Share | None, described("passed / scored; null if nothing was scored")]
    low: Annotated[Share | None, described("lower end of the 95 % interval of the rate")]
    high: Annotated[Share | None, described("upper end of the 95 % interval of the rate")]


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers to one check, counted."""

    passed: Annotated[Count, described("answers that passed")]
    scored: Annotated[Count, described("answers that say something about the model")]


@dataclass(frozen=True, slots=True)
class AnswerPair:
    """Two answers that were compared; where their transcripts lie, each relative to its own run folder."""

    before: Annotated[str, described("transcript of the baseline's answer")]
    after: Annotated[str, described("transcript of the endpoint's answer")]
    before_passed: Annotated[bool, described("whether the baseline's answer passed the check")]
    after_passed: Annotated[bool, described("whether the endpoint's answer passed the check")]


@dataclass(frozen=True, slots=True)
class CheckChange:
    """One check, before and after."""

    suite: Annotated[str, described("name of the suite")]
    check: Annotated[str, described("name of the check")]
    before: Annotated[Tally, described("the baseline's answers")]
    after: Annotated[Tally, described("the endpoint's answers")]


@dataclass(frozen=True, slots=True)
class Regression(CheckChange):
    """One check that fewer answers pass than the baseline's."""

    must_pass: Annotated[bool, described("whether the gate lets it fail not even once")]
    samples: Annotated[tuple[AnswerPair, ...], described("the pairs of answers that do not agree")]
    evidence: Annotated[str | None, described("what the assertion said of the first answer that got worse")]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One endpoint against the baseline, pair by pair: the same check of the same sample."""

    endpoint: Annotated[str, described("name of the endpoint")]
    baseline: Annotated[str, described("name of the baseline's endpoint")]
    pairs: Annotated[Count, described("checks that were scored on both sides")]
    answers: Annotated[Count, described("pairs of answers that they come from; the unit of evidence")]
    worse: Annotated[Count, described("pairs that passed in the baseline only")]
    better: Annotated[Count, described("pairs that passed in the endpoint only")]
    p_value: Annotated[
        Share | None,
        described("one-sided: how often chance alone would make it at least as much worse; null: no pairs"),
    ]
    difference: Annotated[float | None, described("rate of the endpoint - rate of the baseline, over the pairs")]
    low: Annotated[float | None, described("lower end of the 95 % interval of the difference")]
    high: Annotated[float | None, described("upper end of the 95 % interval of the difference")]
    smallest_drop: Annotated[
        Share | None, described("smallest drop of the rate that so many answers show 4 times in 5; null: none")
    ]
    samples_needed: Annotated[
        Ordinal | None,
        described("--llm-samples that would show the drop that was asked for; null: too many, or unknown"),
    ]
    regressions: Annotated[tuple[Regression, ...], described("checks that fewer answers pass")] = ()
    fixed: Annotated[tuple[CheckChange, ...], described("checks that more answers pass")] = ()
    still_failing: Annotated[
        tuple[CheckChange, ...], described("checks that no answer passes, neither then nor now")
    ] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether the bar was met."""

    verdict: Annotated[Literal["met", "not_met", "inconclusive"] | None, described("null if no bar was set")]
    reasons: Annotated[tuple[str, ...], described("why")]
    comparisons: Annotated[tuple[Comparison, ...], described("one for each endpoint that has a baseline")] = ()


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
    suites: Annotated[tuple[SuiteRow, ...], described("what was asked; empty in reports of older versions")] = ()
    check_scores: Annotated[tuple[CheckScore, ...], described("for each endpoint and check")] = ()
    difficulty_scores: Annotated[tuple[DifficultyScore, ...], described("for each endpoint and difficulty")] = ()
