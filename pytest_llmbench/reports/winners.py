"""Who is best at what, each only where at least two endpoints were measured alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_llmbench.model.report import DifficultyScore, Report, ScoreRow
from pytest_llmbench.reports.headline import Figure
from pytest_llmbench.reports.leaderboard import Leaderboard, Standing

SAME_SPEED = 0.05
"""Figures of speed that are so near to the best, as a share of it, share the place: launches of one server differ that much."""


@dataclass(frozen=True, slots=True)
class Winner:
    """The best of one category."""

    category: str
    endpoints: tuple[str, ...]
    """Best first; more than one where they cannot be told apart by this figure."""
    of: int
    """Endpoints that were compared, these included."""
    figure: str
    """Of the first, with its unit."""
    about: str | None = None
    """What exactly was measured."""

    @property
    def is_undecided(self) -> bool:
        """Whether nobody is ahead of anybody."""
        return len(self.endpoints) == self.of


def winners(report: Report, board: Leaderboard) -> tuple[Winner, ...]:
    """Return the winner of each category, categories of quality first; an endpoint without a rank wins no category."""
    ranked = [one for one in board.standings if one.rank is not None]
    return (*_by_quality(report, board, ranked), *_by_speed(ranked))


def _by_quality(report: Report, board: Leaderboard, ranked: Sequence[Standing]) -> Iterator[Winner]:
    names = {one.name for one in ranked}
    yield from _best_rate("quality", [(one.name, one.total) for one in ranked])
    difficulties = {row.name: row.difficulty for row in report.suites}
    for suite in board.suites:
        label = f"{suite} ({difficulties[suite]})" if suite in difficulties else suite
        yield from _best_rate(label, [(one.name, one.suites[suite]) for one in ranked if suite in one.suites])
    # Where a difficulty is that of a single suite, its winner has been told already.
    several = [difficulty for difficulty, suites in Counter(difficulties.values()).items() if suites > 1]
    for difficulty in several:
        rows = [row for row in report.difficulty_scores if row.difficulty == difficulty and row.endpoint in names]
        yield from _best_rate(f"all {difficulty} suites", [(row.endpoint, row) for row in rows])


def _best_rate(category: str, scores: Sequence[tuple[str, ScoreRow | DifficultyScore]]) -> Iterator[Winner]:
    known = [(name, row, row.rate) for name, row in scores if row.rate is not None]
    if len(known) < 2:  # noqa: PLR2004 - nobody wins alone
        return
    best = max(rate for _, _, rate in known)
    ahead = [(name, row) for name, row, rate in known if rate == best]
    first = ahead[0][1]
    yield Winner(category, tuple(name for name, _ in ahead), len(known), f"{first.passed}/{first.scored}")


def _by_speed(ranked: Sequence[Standing]) -> Iterator[Winner]:
    streams = [(one.name, one.headline.tok_s) for one in ranked]
    yield from _best_figure("fastest single stream", streams, "{:.1f} tok/s")
    peaks = [(one.name, one.headline.peak_tok_s) for one in ranked]
    yield from _best_figure("highest throughput", peaks, "{:.0f} tok/s")
    waits = [(one.name, one.headline.ttft_s) for one in ranked]
    yield from _best_figure("shortest time to first token", waits, "{:.3f} s", more_is_better=False)
    worth = [(one.name, _worth(one)) for one in ranked]
    yield from _best_figure("most quality for the time", worth, "{:.1f} passed checks a minute")


def _worth(one: Standing) -> Figure | None:
    """Passed checks for each minute that one stream needs to generate all answers: rate, speed and wordiness in one."""
    stream = one.headline.tok_s
    if stream is None or not one.answer_tokens or not stream.value:
        return None
    minutes = one.answer_tokens / stream.value / 60
    return replace(stream, value=one.passed / minutes)


def _best_figure(
    category: str,
    figures: Sequence[tuple[str, Figure | None]],
    form: str,
    *,
    more_is_better: bool = True,
) -> Iterator[Winner]:
    known = [(name, figure) for name, figure in figures if figure is not None and figure.is_comparable]
    is_one_kind = len({(figure.source, figure.alike) for _, figure in known}) == 1
    if not is_one_kind or len(known) < 2:  # noqa: PLR2004 - nobody wins alone
        return
    known.sort(key=lambda each: each[1].value, reverse=more_is_better)
    best = known[0][1]
    bound = best.value * (1 - SAME_SPEED if more_is_better else 1 + SAME_SPEED)
    ahead = [name for name, figure in known if (figure.value >= bound) is more_is_better or figure.value == bound]
    yield Winner(category, tuple(ahead), len(known), form.format(best.value), f"{best.source}, {best.about}")
