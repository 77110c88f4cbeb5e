"""What a run found, laid out as a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import Completion, Exchange, transcript_path
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import SCHEMA, CompletionRow, EndpointRow, Gate, Report, RunInfo, SuiteRow
from pytest_llmbench.model.serverfigures import ServerFigures, beside, own_figures
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.reports.scores import check_scores, difficulty_scores, score_rows
from pytest_llmbench.stats.answers import distinct, origins

_NO_EXCHANGE = Exchange(content="")

Judge = Callable[[Report], Gate]
"""Says of a report without a verdict whether the bar was met."""


def build_report(  # noqa: PLR0913 - a report has so many parts
    run: RunInfo,
    endpoints: Sequence[Endpoint],
    completions: Sequence[Completion],
    checks: Sequence[Check],
    speed: Sequence[SpeedRow] = (),
    *,
    suites: Sequence[SuiteRow] = (),
    judge: Judge | None = None,
) -> Report:
    """Lay out a report: endpoints as given, suites and samples in order, checks of a suite as they ended.

    Args:
        run: the run as a whole.
        endpoints: whose report it is; what is not theirs is left out.
        completions: their answers.
        checks: what was found of these.
        speed: what was measured.
        suites: what was asked, as far as it is known.
        judge: gives the verdict; None: no bar was set.
    """
    rank = {endpoint.name: place for place, endpoint in enumerate(endpoints)}
    # A folder that the user named may hold more than this run put there.
    own = [completion for completion in completions if completion.endpoint in rank]
    report = Report(
        schema=SCHEMA,
        run=run,
        endpoints=tuple(map(endpoint_row, endpoints)),
        completions=tuple(map(_completion_row, sorted(own, key=lambda one: (rank[one.endpoint], *one.key[1:])))),
        checks=tuple(sorted(checks, key=lambda one: (rank[one.endpoint], one.suite, one.sample))),
        speed=tuple(sorted(speed, key=lambda row: rank[row.endpoint])),
        gate=Gate(verdict=None, reasons=()),
        scores=(),
    )
    report = with_scores(report, suites)
    return report if judge is None else replace(report, gate=judge(report))


def with_scores(report: Report, suites: Sequence[SuiteRow]) -> Report:
    """Count the checks of a report, which knows of no scores yet or of those of a part of it.

    Args:
        report: with its completions and checks.
        suites: what was asked, as far as it is known.
    """
    asked = {check.suite for check in report.checks}
    known = sorted((row for row in suites if row.name in asked), key=lambda row: row.name)
    difficulty = {row.name: row.difficulty for row in known}
    origin = origins(report)
    parts = []
    for endpoint in report.endpoints:
        ran = [check for check in report.checks if check.endpoint == endpoint.name]
        parts.append((endpoint.name, ran, distinct(ran, origin)))
    return replace(
        report,
        suites=tuple(known),
        scores=tuple(row for name, ran, counted in parts for row in score_rows(name, ran, counted)),
        check_scores=tuple(row for name, _, counted in parts for row in check_scores(name, counted, difficulty)),
        difficulty_scores=tuple(
            row for name, _, counted in parts for row in difficulty_scores(name, counted, difficulty)
        ),
    )


def endpoint_row(endpoint: Endpoint) -> EndpointRow:
    """Return an endpoint as the report has it."""
    return EndpointRow(
        name=endpoint.name,
        url=endpoint.url,
        model=endpoint.model,
        replay=endpoint.replay,
        server=endpoint.server,
        sampling=endpoint.sampling,
        extra_body=endpoint.extra_body,
        metadata=endpoint.metadata,
        problem=endpoint.problem,
        fingerprint=endpoint.fingerprint,
    )


def _completion_row(completion: Completion) -> CompletionRow:
    exchange = completion.exchange or _NO_EXCHANGE
    return CompletionRow(
        endpoint=completion.endpoint,
        suite=completion.suite,
        sample=completion.sample,
        finish_reason=exchange.finish_reason,
        prompt_tokens=exchange.usage.prompt_tokens,
        completion_tokens=exchange.usage.completion_tokens,
        reasoning_tokens=exchange.usage.reasoning_tokens,
        cached_tokens=exchange.usage.cached_tokens,
        ttft_s=exchange.timing.ttft_s,
        ttft_answer_s=exchange.timing.ttft_answer_s,
        decode_tok_s=completion.decode_tok_s,
        e2e_s=exchange.timing.e2e_s,
        server=_server_figures(completion),
        concurrency=completion.concurrency,
        attempts=completion.exchange.attempts if completion.exchange else None,
        error=completion.error,
        transcript=transcript_path(completion.key),
        answer_sha256=completion.answer_sha256,
        seed=completion.seed,
    )


def _server_figures(completion: Completion) -> ServerFigures | None:
    exchange = completion.exchange
    figures = None if exchange is None else own_figures(exchange)
    if exchange is None or figures is None:
        return None
    return beside(figures, ttft_s=exchange.timing.ttft_s, decode_tok_s=completion.decode_tok_s)
