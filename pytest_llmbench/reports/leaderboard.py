"""Endpoints in order of quality, and those that have no place in it: what Markdown and HTML lay out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import EndpointRow, Report, ScoreRow
from pytest_llmbench.reports.evidence import first_line
from pytest_llmbench.reports.headline import Headline, headline

MIN_COVERAGE = 0.95
"""Share of the checks that must have been judged before a rate may be ranked: those that are missing may be the hard ones."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One endpoint of which something was judged."""

    name: str
    model: str | None
    rank: int | None
    """Counts from 1; endpoints of one rate share it; None: not ranked."""
    unranked: str | None
    """Why it has no rank; None if it has."""
    total: ScoreRow
    ran: int
    """Checks that were run; `total.scored` of them say something about the model."""
    passed: int
    """Of those that were run; `total.passed` counts a repeated answer once."""
    suites: Mapping[str, ScoreRow]
    """By name of the suite; of suites that it was not asked, nothing."""
    ran_of: Mapping[str, int]
    """Checks that were run, by name of the suite."""
    near_best: bool
    """Whether its interval overlaps that of the first: these answers do not tell the two apart. True of the first itself."""
    headline: Headline
    answer_tokens: int | None
    """Generated for all whole answers together, reasoning included; None if the server did not count all of them."""
    context_tokens: int | None
    """Longest prompt and answer together."""


@dataclass(frozen=True, slots=True)
class Failed:
    """One endpoint that could not be judged, or not to the end."""

    name: str
    model: str | None
    phase: str
    """How far it came, in words."""
    cause: str | None
    """Class of the reason; None if it could not be told."""
    line: str | None
    """What its log, or the error, says."""
    advice: str | None
    log: str | None
    """Path of its log, relative to the run folder."""


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """All endpoints of a report."""

    suites: tuple[str, ...]
    """Names, in the order of the columns."""
    standings: tuple[Standing, ...]
    """Best first, those without a rank last."""
    failed: tuple[Failed, ...]
    """In the order of the report."""


def counted(row: ScoreRow | None, ran: int) -> str:
    """Return `passed/scored`, and of how many where some could not be judged; `-` where nothing was.

    Args:
        row: None if nothing of it was run.
        ran: checks that were run, those of repeated answers included, which the row counts once.
    """
    if row is None:
        return "-"
    share = f"{row.passed}/{row.scored}" if row.scored else "-"
    if row.coverage == 1:
        return share
    is_plain = round(row.coverage * ran) == row.scored
    return f"{share} of {ran}" if is_plain else f"{share}, {row.coverage:.0%} judged"


def leaderboard(report: Report) -> Leaderboard:
    """Rank the endpoints of a report by their pass rates."""
    scores = {(row.endpoint, row.suite): row for row in report.scores}
    suites = tuple(sorted({row.suite for row in report.scores if row.suite is not None}))
    asked = {(check.suite, check.check) for check in report.checks}
    found = [
        _standing(report, endpoint, scores, suites, len(asked))
        for endpoint in report.endpoints
        if (endpoint.name, None) in scores and scores[endpoint.name, None].scored
    ]
    return Leaderboard(suites, tuple(_ranked(found)), tuple(_failed(report, {one.name for one in found})))


def _standing(
    report: Report,
    endpoint: EndpointRow,
    scores: Mapping[tuple[str, str | None], ScoreRow],
    suites: Sequence[str],
    asked: int,
) -> Standing:
    own = [check for check in report.checks if check.endpoint == endpoint.name]
    answers = [row for row in report.completions if row.endpoint == endpoint.name and row.error is None]
    tokens = [row.completion_tokens for row in answers]
    known = [count for count in tokens if count is not None]
    total = scores[endpoint.name, None]
    return Standing(
        name=endpoint.name,
        model=endpoint.model,
        rank=None,
        unranked=_unranked(own, total, asked),
        total=total,
        ran=len(own),
        passed=sum(check.outcome is Outcome.PASSED for check in own),
        suites={suite: scores[endpoint.name, suite] for suite in suites if (endpoint.name, suite) in scores},
        ran_of=Counter(check.suite for check in own),
        near_best=False,
        headline=headline(report, endpoint.name),
        answer_tokens=sum(known) if known and len(known) == len(tokens) else None,
        context_tokens=endpoint.server.context_tokens,
    )


def _unranked(own: Sequence[Check], total: ScoreRow, asked: int) -> str | None:
    if total.coverage < MIN_COVERAGE:
        judged_of_all = sum(check.outcome.scored for check in own)
        return f"only {judged_of_all} of its {len(own)} checks could be judged; a rank takes {MIN_COVERAGE:.0%}"
    judged = len({(check.suite, check.check) for check in own if check.outcome.scored})
    if judged < MIN_COVERAGE * asked:
        return f"judged by {judged} of the {asked} checks that others were judged by"
    return None


def _ranked(standings: Sequence[Standing]) -> Iterator[Standing]:
    placed = sorted((one for one in standings if one.unranked is None), key=lambda one: -(one.total.rate or 0))
    for one in placed:
        better = sum((other.total.rate or 0) > (one.total.rate or 0) for other in placed)
        yield replace(one, rank=better + 1, near_best=_overlap(placed[0].total, one.total))
    yield from (one for one in standings if one.unranked is not None)


def _overlap(best: ScoreRow, other: ScoreRow) -> bool:
    return best.low is None or other.high is None or other.high >= best.low


def _failed(report: Report, judged: set[str]) -> Iterator[Failed]:
    for endpoint in report.endpoints:
        failure = endpoint.server.failure
        own = [check for check in report.checks if check.endpoint == endpoint.name]
        if failure is not None:
            ended = f"{failure.phase} ({failure.ended})" if failure.ended else str(failure.phase)
            yield Failed(endpoint.name, endpoint.model, ended, failure.cause, failure.line, failure.advice, failure.log)
        elif endpoint.problem is not None:
            yield Failed(endpoint.name, endpoint.model, "could not be asked", None, endpoint.problem, None, None)
        elif own and endpoint.name not in judged:
            yield Failed(
                endpoint.name, endpoint.model, "no check could be judged", None, _most_frequent(own), None, None
            )


def _most_frequent(checks: Sequence[Check]) -> str | None:
    told = Counter(line for check in checks if (line := first_line(check.evidence)))
    return told.most_common(1)[0][0] if told else None
