"""What GitHub Actions shows of a run: the job's summary, and annotations as workflow commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Report
from pytest_llmbench.reports.details import NO_DETAILS
from pytest_llmbench.reports.evidence import first_line
from pytest_llmbench.reports.leaderboard import leaderboard
from pytest_llmbench.reports.markdown_gate import VERDICTS
from pytest_llmbench.reports.markdown_report import render
from pytest_llmbench.reports.markdown_text import shortened, visible

SUMMARY_LIMIT_BYTES = 1024 * 1024
"""Of one step; GitHub shows nothing at all of a summary that is larger."""
MAX_ANNOTATIONS = 10
"""Of one level that GitHub keeps of one step."""
MAX_LINES = 10
MAX_REASONS = 3
MAX_LINE = 500
MAX_TITLE = 200
_CUT = "\n… cut here: GitHub takes no more. All of it is in the run folder.\n"

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One line in the list at the top of a run's page."""

    level: Level
    title: str
    message: str
    """One or more lines."""


def summary(report: Report, taken_bytes: int = 0) -> str:
    """Return the Markdown of the job's summary, cut after a whole line where it would be too long.

    Args:
        report: what the run found.
        taken_bytes: what the step has in its summary already.
    """
    text = render(report, NO_DETAILS)
    room = SUMMARY_LIMIT_BYTES - taken_bytes
    if len(text.encode()) <= room:
        return text
    kept, used = [], len(_CUT.encode())
    for line in text.splitlines(keepends=True):
        used += len(line.encode())
        if used > room:
            break
        kept.append(line)
    return "".join(kept) + _CUT if kept else ""


def find_annotations(report: Report) -> tuple[Annotation, ...]:
    """Return at most `MAX_ANNOTATIONS`, the most telling first, the last one for all that are left over."""
    found = [
        *_verdict(report),
        *_regressions(report),
        *_failed_endpoints(report),
        *_failed_checks(report),
        *_not_judged(report),
    ]
    if len(found) <= MAX_ANNOTATIONS:
        return tuple(found)
    shown, rest = found[: MAX_ANNOTATIONS - 1], found[MAX_ANNOTATIONS - 1 :]
    level: Level = "error" if any(one.level == "error" for one in rest) else "warning"
    return (*shown, Annotation(level, f"llmbench: {len(rest)} more", "All of them are in the job's summary."))


def command(annotation: Annotation) -> str:
    """Return an annotation as a workflow command: one line, in which no text can begin another command."""
    lines = [shortened(visible(line), MAX_LINE) for line in annotation.message.splitlines()[:MAX_LINES]]
    title = _property(shortened(visible(annotation.title), MAX_TITLE))
    message = _data("\n".join(lines))
    return f"::{annotation.level} title={title}::{message}"


def stop_commands(token: str) -> str:
    """Return the line after which GitHub takes nothing for a command until `resume_commands` of the same token."""
    return f"::stop-commands::{token}"


def resume_commands(token: str) -> str:
    """Return the line that ends `stop_commands`."""
    return f"::{token}::"


def _verdict(report: Report) -> Iterator[Annotation]:
    gate = report.gate
    if gate.verdict in ("not_met", "inconclusive"):
        yield Annotation(
            "error", f"llmbench: {VERDICTS[gate.verdict][2:]}", "\n".join(gate.reasons) or "no reason given"
        )


def _regressions(report: Report) -> Iterator[Annotation]:
    level: Level = "warning" if report.gate.verdict == "met" else "error"
    for comparison in report.gate.comparisons:
        for one in comparison.regressions:
            then, now = (f"{tally.passed} of {tally.scored}" for tally in (one.before, one.after))
            title = f"{comparison.endpoint}: {one.suite}/{one.check}: {then} answers passed, now {now}"
            yield Annotation(level, title, one.evidence or "no evidence")


def _failed_endpoints(report: Report) -> Iterator[Annotation]:
    level: Level = "warning" if report.gate.verdict == "met" else "error"
    for one in leaderboard(report).failed:
        cause = f", {one.cause}" if one.cause else ""
        yield Annotation(
            level, f"{one.name}: {one.phase}{cause}", "\n".join(filter(None, (one.line, one.advice))) or "-"
        )


def _failed_checks(report: Report) -> Iterator[Annotation]:
    """Yield what no comparison tells: without a gate each such check is an error, with one the gate decides."""
    told = {
        (comparison.endpoint, one.suite, one.check)
        for comparison in report.gate.comparisons
        for changed in (comparison.regressions, comparison.still_failing, comparison.fixed)
        for one in changed
    }
    # What only stands there to be compared with is not what the build is about.
    compared = {one.endpoint for one in report.gate.comparisons}
    baselines = {one.baseline for one in report.gate.comparisons} - compared
    groups: dict[tuple[str, str, str], list[Check]] = {}
    for check in report.checks:
        if check.outcome.scored and check.endpoint not in baselines:
            groups.setdefault((check.endpoint, check.suite, check.check), []).append(check)
    level: Level = "error" if report.gate.verdict is None else "warning"
    for place, checks in groups.items():
        failed = [check for check in checks if check.outcome is not Outcome.PASSED]
        if failed and place not in told:
            endpoint, suite, name = place
            yield Annotation(
                level, f"{endpoint}: {suite}/{name}: {_how(failed, len(checks))}", failed[0].evidence or "no evidence"
            )


def _not_judged(report: Report) -> Iterator[Annotation]:
    """Yield one for each endpoint that is not told of as a whole: its checks that say nothing about the model, and why."""
    level: Level = "error" if report.gate.verdict is None else "warning"
    failed = {one.name for one in leaderboard(report).failed}
    for name in (row.name for row in report.endpoints if row.name not in failed):
        broken = [check for check in report.checks if check.endpoint == name and not check.outcome.scored]
        if broken:
            reasons = Counter(first_line(check.evidence) or "no evidence" for check in broken)
            told = "\n".join(f"{count} x {reason}" for reason, count in reasons.most_common(MAX_REASONS))
            yield Annotation(level, f"{name}: {len(broken)} checks could not be judged", told)


def _how(failed: Sequence[Check], asked: int) -> str:
    outcomes = ", ".join(dict.fromkeys(check.outcome for check in failed))
    return outcomes if asked == 1 else f"{len(failed)} of {asked} answers {outcomes}"


_DATA: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


def _data(text: str) -> str:
    return text.translate(_DATA)


def _property(text: str) -> str:
    return text.translate(_PROPERTY)
