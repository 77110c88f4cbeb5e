"""What a speed test asserts: bars that the user set, and no slower than before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_llmbench.model.speed import SpeedRow, Spread
from pytest_llmbench.model.unknown import Unknown
from pytest_llmbench.speed.spread import ratio_of

MAX_LOSS = 0.05
"""Of a figure of the baseline. Less than this is not told from what a server does by itself from day to day."""

COMPARED = {"decode_tok_s": "tok/s of one stream", "throughput_tok_s": "tok/s of all streams"}
"""Figures that are compared with a baseline: more is better."""


@dataclass(frozen=True, slots=True)
class Bars:
    """None: no such bar."""

    min_tok_s: float | None = None
    """Decode rate of a single stream."""
    max_ttft_s: float | None = None
    """Time to first token of a single stream."""
    baseline: tuple[SpeedRow, ...] = ()
    """Rows of an earlier report."""

    def shortfalls(self, row: SpeedRow) -> tuple[str, ...]:
        """Return what a row falls short of, each in one line with the figure and the bound."""
        return (*self._absolute(row), *self._against_baseline(row))

    def _absolute(self, row: SpeedRow) -> Iterator[str]:
        if row.workload != "single-stream":
            return
        for name, bound, wanted in (
            ("decode_tok_s", self.min_tok_s, "at least"),
            ("ttft_s", self.max_ttft_s, "at most"),
        ):
            if bound is None:
                continue
            figure: Spread | None = getattr(row, name)
            if figure is None:
                yield f"{name} is not known ({row.unknown.get(name)}); the bar is {wanted} {bound:g}"
            elif (figure.median < bound) if wanted == "at least" else (figure.median > bound):
                yield f"{name} is {figure.median:.4g} (median of {figure.rounds} rounds); the bar is {wanted} {bound:g}"

    def _against_baseline(self, row: SpeedRow) -> Iterator[str]:
        before = _same(self.baseline, row)
        if before is None:
            return
        for name, meaning in COMPARED.items():
            ours, theirs = getattr(row, name), getattr(before, name)
            if ours is None or theirs is None:
                continue
            found = ratio_of(ours, theirs)
            if isinstance(found, Unknown) or found.high is None or found.high >= 1 - MAX_LOSS:
                continue
            yield (
                f"{meaning}: {ours.mean:.4g} against {theirs.mean:.4g} of the baseline, "
                f"{found.ratio:.3f} times as fast (95 % interval {found.low:.3f} to {found.high:.3f}); "
                f"the bar is {1 - MAX_LOSS:g}"
            )


def _same(rows: Sequence[SpeedRow], row: SpeedRow) -> SpeedRow | None:
    """Return the row of the baseline that measured the same thing: of the same endpoint, or of the only one."""

    def key(one: SpeedRow) -> tuple[object, ...]:
        return (
            one.workload,
            one.concurrency,
            one.depth_tokens,
            one.target_prompt_tokens,
            one.target_answer_tokens,
            one.text,
        )

    alike = [one for one in rows if key(one) == key(row)]
    named = [one for one in alike if one.endpoint == row.endpoint]
    if named:
        return named[0]
    return alike[0] if len({one.endpoint for one in rows}) == 1 and alike else None
