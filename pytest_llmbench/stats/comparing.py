"""One endpoint against its baseline: what got worse, what better, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import CaseKey, transcript_path
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import AnswerPair, CheckChange, Comparison, Regression, Tally
from pytest_llmbench.stats.intervals import clusters, difference_interval
from pytest_llmbench.stats.paired import Pair, net_changes, pair_up, sign_flip_p

_Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison, and what a verdict on it needs beside."""

    result: Comparison
    coverage: float | None
    """Scored pairs / all pairs; None if there are none."""
    p_at_best: float
    """The p-value if every verdict that is missing had turned out in favour of the endpoint."""


def compare(endpoint: str, baseline: str, before: Sequence[Check], after: Sequence[Check], *, drop: float) -> Compared:
    """Compare two endpoints.

    Args:
        endpoint: the later one's name.
        baseline: the earlier one's name.
        before: the earlier one's checks, of the answers that count.
        after: the later one's checks, likewise.
        drop: of the rate, that should show; a share.
    """
    from pytest_llmbench.stats import power  # noqa: PLC0415 - only runs that compare pay for numpy and scipy

    pairs = pair_up(before, after)
    scored = [pair for pair in pairs if pair.scored]
    changes = net_changes(pairs)
    sides = [clusters(pair.before for pair in scored), clusters(pair.after for pair in scored)]
    design = power.fit(scored, sides) if scored else None
    low, high = difference_interval(*sides) if scored else (None, None)
    result = Comparison(
        endpoint=endpoint,
        baseline=baseline,
        pairs=len(scored),
        answers=len(changes),
        worse=sum(pair.net < 0 for pair in scored),
        better=sum(pair.net > 0 for pair in scored),
        p_value=sign_flip_p(changes) if scored else None,
        difference=sum(changes) / len(scored) if scored else None,
        low=low,
        high=high,
        smallest_drop=power.smallest_drop(design) if design is not None else None,
        samples_needed=power.samples_needed(design, drop) if design is not None else None,
        regressions=tuple(_regression(place, group) for place, group in _by_check(scored) if _net(group) < 0),
        fixed=tuple(_change(place, group) for place, group in _by_check(scored) if _net(group) > 0),
        still_failing=tuple(_change(place, group) for place, group in _by_check(scored) if not any(_passes(group))),
    )
    return Compared(
        result,
        coverage=len(scored) / len(pairs) if pairs else None,
        p_at_best=sign_flip_p(net_changes(map(_at_best, pairs))),
    )


def _at_best(pair: Pair) -> Pair:
    """Let what is not known of a pair be in favour of the later side."""
    return Pair(_known_as(pair.before, Outcome.WRONG), _known_as(pair.after, Outcome.PASSED), pair.place)


def _known_as(check: Check, outcome: Outcome) -> Check:
    return check if check.outcome.scored else replace(check, outcome=outcome)


def _by_check(pairs: Iterable[Pair]) -> list[tuple[_Place, list[Pair]]]:
    found: dict[_Place, list[Pair]] = {}
    for pair in pairs:
        found.setdefault((pair.after.suite, pair.after.check), []).append(pair)
    return sorted(found.items())


def _net(pairs: Iterable[Pair]) -> int:
    return sum(pair.net for pair in pairs)


def _passes(pairs: Iterable[Pair]) -> list[bool]:
    return [side.outcome is Outcome.PASSED for pair in pairs for side in (pair.before, pair.after)]


def _tallies(pairs: Sequence[Pair]) -> tuple[Tally, Tally]:
    before = sum(pair.before.outcome is Outcome.PASSED for pair in pairs)
    after = sum(pair.after.outcome is Outcome.PASSED for pair in pairs)
    return Tally(before, len(pairs)), Tally(after, len(pairs))


def _change(place: _Place, pairs: Sequence[Pair]) -> CheckChange:
    return CheckChange(*place, *_tallies(pairs))


def _regression(place: _Place, pairs: Sequence[Pair]) -> Regression:
    return Regression(
        *place,
        *_tallies(pairs),
        must_pass=pairs[0].after.must_pass,
        samples=tuple(map(_answers, (pair for pair in pairs if pair.net))),
        evidence=next(pair.after.evidence for pair in pairs if pair.net < 0),
    )


def _answers(pair: Pair) -> AnswerPair:
    return AnswerPair(
        before=_transcript(pair.before),
        after=_transcript(pair.after),
        before_passed=pair.before.outcome is Outcome.PASSED,
        after_passed=pair.after.outcome is Outcome.PASSED,
    )


def _transcript(check: Check) -> str:
    return transcript_path(CaseKey(check.endpoint, check.suite, check.sample))
