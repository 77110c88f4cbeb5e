"""What changed from one report to another besides the checks that the gate compares: speed, what ran, what was judged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_llmbench.model.report import EndpointRow, Report
from pytest_llmbench.model.speed import SpeedRow, Spread
from pytest_llmbench.reports.differences import differences

MIN_CHANGE = 0.05
"""Of a figure of speed. A smaller change is not told from what a server does by itself from day to day."""

COMPARED = {
    "decode_tok_s": ("tok/s of one stream", True),
    "throughput_tok_s": ("tok/s of all streams", True),
    "prefill_tok_s": ("prompt tok/s", True),
    "ttft_s": ("TTFT s", False),
}
"""Figure -> what it is called, and whether more of it is better."""


@dataclass(frozen=True, slots=True)
class FigureChange:
    """One figure of speed whose two intervals do not overlap, and which moved by more than `MIN_CHANGE`."""

    workload: str
    figure: str
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """The later one / the earlier one."""
        return self.after / self.before


@dataclass(frozen=True, slots=True)
class EndpointChanges:
    """One endpoint, against the same one of an earlier report."""

    before: str
    """Its name in the earlier report."""
    after: str
    unpaired: tuple[str, ...]
    """Checks as `suite/check` that one of the two reports has no verdict on."""
    faster: tuple[FigureChange, ...]
    slower: tuple[FigureChange, ...]
    differs: tuple[str, ...]
    """What can change answers and is not the same, a line for each."""


@dataclass(frozen=True, slots=True)
class Changes:
    """All that changed."""

    endpoints: tuple[EndpointChanges, ...]
    gone: tuple[str, ...]
    """Endpoints that only the earlier report has."""
    new: tuple[str, ...]
    """Endpoints that only the later report has."""


def changes(before: Report, after: Report) -> Changes:
    """Compare endpoints of one name, and those that have no namesake with the only one of the earlier report."""
    pairs = list(_pairs(before.endpoints, after.endpoints))
    return Changes(
        endpoints=tuple(_endpoint_changes(before, after, old, new) for old, new in pairs),
        gone=tuple(row.name for row in before.endpoints if row.name not in {old.name for old, _ in pairs}),
        new=tuple(row.name for row in after.endpoints if row.name not in {new.name for _, new in pairs}),
    )


def _pairs(before: Sequence[EndpointRow], after: Sequence[EndpointRow]) -> Iterator[tuple[EndpointRow, EndpointRow]]:
    known = {row.name: row for row in before}
    only = before[0] if len(before) == 1 else None
    yield from ((old, row) for row in after if (old := known.get(row.name, only)) is not None)


def _endpoint_changes(before: Report, after: Report, old: EndpointRow, new: EndpointRow) -> EndpointChanges:
    speed = list(
        _figure_changes(
            [row for row in before.speed if row.endpoint == old.name],
            [row for row in after.speed if row.endpoint == new.name],
        )
    )
    return EndpointChanges(
        before=old.name,
        after=new.name,
        unpaired=tuple(sorted(_judged(before, old.name) ^ _judged(after, new.name))),
        faster=tuple(change for change, is_better in speed if is_better),
        slower=tuple(change for change, is_better in speed if not is_better),
        differs=differences(old, new),
    )


def _judged(report: Report, endpoint: str) -> set[str]:
    return {f"{one.suite}/{one.check}" for one in report.checks if one.endpoint == endpoint and one.outcome.scored}


def _figure_changes(before: Sequence[SpeedRow], after: Sequence[SpeedRow]) -> Iterator[tuple[FigureChange, bool]]:
    """Yield each change that is told from noise, and whether it is one for the better."""
    known = {_measured(row): row for row in before}
    for row in after:
        old = known.get(_measured(row))
        if old is None:
            continue
        for name, (meaning, more_is_better) in COMPARED.items():
            first, second = getattr(old, name), getattr(row, name)
            if first is not None and second is not None and _told_apart(first, second):
                change = FigureChange(_workload(row), meaning, first.mean, second.mean)
                yield change, (second.mean > first.mean) is more_is_better


def _told_apart(before: Spread, after: Spread) -> bool:
    if before.low is None or before.high is None or after.low is None or after.high is None or before.mean <= 0:
        return False
    apart = after.low > before.high or after.high < before.low
    return apart and abs(after.mean / before.mean - 1) > MIN_CHANGE


def _measured(row: SpeedRow) -> tuple[object, ...]:
    aim = (row.depth_tokens, row.target_prompt_tokens, row.target_answer_tokens, row.text)
    return (row.workload, row.concurrency, *aim)


def _workload(row: SpeedRow) -> str:
    streams = "" if row.concurrency in (1, None) else f", {row.concurrency} streams"
    depth = f", depth {row.depth_tokens}" if row.depth_tokens else ""
    return f"{row.workload}{streams}{depth}"
