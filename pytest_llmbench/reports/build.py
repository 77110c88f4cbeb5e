"""What a run found, laid out as a report."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import Completion, Exchange, transcript_path
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import SCHEMA, CompletionRow, EndpointRow, Gate, Report, RunInfo, ScoreRow
from pytest_llmbench.model.serverfigures import ServerFigures, beside, own_figures
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.reports.scores import score

_NO_EXCHANGE = Exchange(content="")


def build_report(
    run: RunInfo,
    endpoints: Sequence[Endpoint],
    completions: Sequence[Completion],
    checks: Sequence[Check],
    speed: Sequence[SpeedRow] = (),
) -> Report:
    """Lay out a report: endpoints as given, suites and samples in order, checks of a suite as they ended."""
    rank = {endpoint.name: place for place, endpoint in enumerate(endpoints)}
    # A folder that the user named may hold more than this run put there.
    own = [completion for completion in completions if completion.endpoint in rank]
    return Report(
        schema=SCHEMA,
        run=run,
        endpoints=tuple(map(_endpoint_row, endpoints)),
        completions=tuple(map(_completion_row, sorted(own, key=lambda one: (rank[one.endpoint], *one.key[1:])))),
        checks=tuple(sorted(checks, key=lambda one: (rank[one.endpoint], one.suite, one.sample))),
        speed=tuple(sorted(speed, key=lambda row: rank[row.endpoint])),
        gate=Gate(verdict=None, reasons=()),
        scores=tuple(row for endpoint in endpoints for row in _score_rows(endpoint.name, checks)),
    )


def _endpoint_row(endpoint: Endpoint) -> EndpointRow:
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
    )


def _server_figures(completion: Completion) -> ServerFigures | None:
    exchange = completion.exchange
    figures = None if exchange is None else own_figures(exchange)
    if exchange is None or figures is None:
        return None
    return beside(figures, ttft_s=exchange.timing.ttft_s, decode_tok_s=completion.decode_tok_s)


def _score_rows(endpoint: str, checks: Sequence[Check]) -> list[ScoreRow]:
    own = [check for check in checks if check.endpoint == endpoint]
    if not own:
        return []
    suites = sorted({check.suite for check in own})
    rows = [score(endpoint, suite, [check for check in own if check.suite == suite]) for suite in suites]
    return [*rows, score(endpoint, None, own)]
