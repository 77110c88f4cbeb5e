"""Checks counted, with the intervals that so few answers allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import CheckScore, DifficultyScore, ScoreRow
from pytest_llmbench.stats.intervals import Interval, clustered_interval, clusters, wilson
from pytest_llmbench.stats.passk import pass_at_k, pass_hat_k

_UNKNOWN: tuple[None, None] = (None, None)


def score_rows(endpoint: str, ran: Sequence[Check], counted: Sequence[Check]) -> Iterator[ScoreRow]:
    """Count the checks of an endpoint: for each suite, by name, and then for all of them.

    Args:
        endpoint: its name.
        ran: all its checks.
        counted: those of different answers.
    """
    suites = sorted({check.suite for check in ran})
    for suite in (*suites, *([None] if suites else [])):
        of_all, of_counted = ([check for check in checks if suite in (check.suite, None)] for checks in (ran, counted))
        yield _score(endpoint, suite, of_all, of_counted)


def check_scores(endpoint: str, counted: Sequence[Check], difficulty: Mapping[str, str]) -> Iterator[CheckScore]:
    """Count each check of an endpoint, by suite and name; `difficulty` is that of the suites that are known."""
    for (suite, name), checks in sorted(_by_check(counted).items()):
        passed, scored = _tally(checks)
        low, high = wilson(passed / scored, scored) if scored else _UNKNOWN
        yield CheckScore(
            endpoint=endpoint,
            suite=suite,
            check=name,
            difficulty=difficulty.get(suite),
            must_pass=any(check.must_pass for check in checks),
            passed=passed,
            scored=scored,
            rate=passed / scored if scored else None,
            low=low,
            high=high,
            flickers=0 < passed < scored,
        )


def difficulty_scores(
    endpoint: str, counted: Sequence[Check], difficulty: Mapping[str, str]
) -> Iterator[DifficultyScore]:
    """Count the checks of an endpoint for each difficulty, in the order of `difficulty`."""
    for level in dict.fromkeys(difficulty.values()):
        checks = [check for check in counted if difficulty.get(check.suite) == level]
        if checks:
            passed, scored = _tally(checks)
            rate = passed / scored if scored else None
            yield DifficultyScore(endpoint, level, passed, scored, rate, *_interval(checks))


def _score(endpoint: str, suite: str | None, ran: Sequence[Check], counted: Sequence[Check]) -> ScoreRow:
    passed, scored = _tally(counted)
    low, high = _interval(counted)
    tallies = [_tally(checks) for checks in _by_check(counted).values()]
    return ScoreRow(
        endpoint=endpoint,
        suite=suite,
        passed=passed,
        scored=scored,
        coverage=sum(check.outcome.scored for check in ran) / len(ran),
        rate=passed / scored if scored else None,
        low=low,
        high=high,
        completions=len(clusters(counted)),
        pass_at_k=pass_at_k(tallies),
        pass_hat_k=pass_hat_k(tallies),
        flickers=sum(0 < passed < scored for passed, scored in tallies),
    )


def _interval(counted: Sequence[Check]) -> Interval | tuple[None, None]:
    answers = clusters(counted)
    return clustered_interval(answers) if answers else _UNKNOWN


def _tally(checks: Sequence[Check]) -> tuple[int, int]:
    return sum(check.outcome is Outcome.PASSED for check in checks), sum(check.outcome.scored for check in checks)


def _by_check(checks: Sequence[Check]) -> Mapping[tuple[str, str], list[Check]]:
    found: dict[tuple[str, str], list[Check]] = {}
    for check in checks:
        found.setdefault((check.suite, check.check), []).append(check)
    return found
