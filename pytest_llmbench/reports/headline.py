"""The few figures of speed by which an endpoint is known: one stream alone, all streams at their best."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pytest_llmbench.model.report import CompletionRow, Report
from pytest_llmbench.model.speed import SpeedRow, Spread

SINGLE_STREAM = "single-stream"
"""The workload that is measured to be known by; any other one with a single request in flight stands in for it."""
DISTRUSTED = frozenset({"degenerate", "failed-requests"})
"""Marks of a row that wins nothing: text in circles is written faster than any other, and what failed was not served."""


class Source(StrEnum):
    """What a figure was taken from."""

    SPEED_TEST = "speed test"
    ALONE = "answers, one at a time"
    TOGETHER = "answers, several at once or unknown"
    """Of graded answers, whatever else was in flight: not the figure of a single stream."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, and how far it can be compared."""

    value: float
    source: Source
    about: str
    """What was measured, in words."""
    alike: tuple[object, ...] = ()
    """What was measured, with all lengths and levels; only figures of which this and the source are the same are compared."""
    marks: tuple[str, ...] = ()
    """Of the row of speed that it is from."""

    @property
    def is_comparable(self) -> bool:
        """Whether it was taken of one stream alone, or by a speed test, and can be believed."""
        return self.source is not Source.TOGETHER and not DISTRUSTED.intersection(self.marks)


@dataclass(frozen=True, slots=True)
class Headline:
    """Of one endpoint; None: not known."""

    tok_s: Figure | None
    """Decode rate of one stream, in tokens a second."""
    ttft_s: Figure | None
    """Time to the first token of one stream, in seconds."""
    peak_tok_s: Figure | None
    """Highest throughput of all streams together, in tokens a second, over the concurrencies that were measured."""


def headline(report: Report, endpoint: str) -> Headline:
    """Return an endpoint's figures: of speed tests where there are any, else of the graded answers."""
    rows = [row for row in report.speed if row.endpoint == endpoint]
    answers = [row for row in report.completions if row.endpoint == endpoint and row.error is None]
    return Headline(
        tok_s=_single(rows, "decode_tok_s") or _of_answers(answers, "decode_tok_s"),
        ttft_s=_single(rows, "ttft_s") or _of_answers(answers, "ttft_s"),
        peak_tok_s=_peak(rows),
    )


def _single(rows: Sequence[SpeedRow], name: str) -> Figure | None:
    alone = [row for row in rows if row.concurrency == 1 and not row.depth_tokens and getattr(row, name) is not None]
    if not alone:
        return None
    row = next((one for one in alone if one.workload == SINGLE_STREAM), alone[0])
    figure: Spread = getattr(row, name)
    return Figure(figure.median, Source.SPEED_TEST, _about(row), _aim(row), tuple(row.marks))


def _peak(rows: Sequence[SpeedRow]) -> Figure | None:
    sweep = [row for row in rows if row.workload == "sweep" and row.concurrency is not None]
    # Who was tried at more levels has the better chance of a high one.
    levels = tuple(sorted({(row.concurrency, *map(repr, _aim(row))) for row in sweep}))
    found = [
        Figure(row.throughput_tok_s.median, Source.SPEED_TEST, _about(row), levels, tuple(row.marks))
        for row in sweep
        if row.throughput_tok_s is not None
    ]
    believed = [figure for figure in found if figure.is_comparable] or found
    return max(believed, key=lambda figure: figure.value, default=None)


def _of_answers(rows: Sequence[CompletionRow], name: str) -> Figure | None:
    known = [(row, figure) for row in rows if (figure := getattr(row, name)) is not None]
    if not known:
        return None
    alone = [(row, figure) for row, figure in known if row.concurrency == 1]
    used, source = (alone, Source.ALONE) if len(alone) == len(known) else (known, Source.TOGETHER)
    return Figure(statistics.median(figure for _, figure in used), source, f"median of {len(used)} answers")


def _aim(row: SpeedRow) -> tuple[object, ...]:
    return (row.workload, row.depth_tokens, row.target_prompt_tokens, row.target_answer_tokens, row.text)


def _about(row: SpeedRow) -> str:
    streams = "" if row.concurrency == 1 else f", {row.concurrency} streams"
    return f"{row.workload}{streams}"
