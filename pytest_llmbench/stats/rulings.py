"""What speaks for a verdict and what against it: one ruling after the other, each with the figures that it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Comparison
from pytest_llmbench.stats.comparing import Compared
from pytest_llmbench.stats.design import LEVEL, MAX_SAMPLES
from pytest_llmbench.stats.intervals import clustered_interval, clusters

LEAST_P = 0.0001
"""Below it, a p-value is told as less."""


class Verdict(IntEnum):
    """The higher one decides."""

    MET = 0
    INCONCLUSIVE = 1
    NOT_MET = 2


@dataclass(frozen=True, slots=True)
class Bars:
    """What is asked; shares, not per cent."""

    fail_under: float | None = None
    """Lowest pass rate that is good enough; None: no such bar."""
    drop: float = 0.2
    """Drop of the pass rate below the baseline's that has to show if it is there."""
    min_coverage: float = 0.95
    """Share of the checks asked for that must have been judged."""
    must_pass: tuple[str, ...] = ()
    """Checks as SUITE/CHECK that were named; those marked say so themselves."""


Ruling = tuple[Verdict, str]


def must_pass(own: Sequence[Check], bars: Bars, before: Sequence[Check]) -> Iterator[Ruling]:
    """Look at the checks that may fail not even once; `before` are the baseline's, if there is one."""
    wanted = {(check.suite, check.check) for check in own if check.must_pass}
    wanted |= {(suite, check) for suite, _, check in (name.partition("/") for name in bars.must_pass)}
    for suite, name in sorted(wanted):
        now, then = (
            [
                check.outcome is Outcome.PASSED
                for check in side
                if (check.suite, check.check) == (suite, name) and check.outcome.scored
            ]
            for side in (own, before)
        )
        if not now:
            yield Verdict.INCONCLUSIVE, f"{suite}/{name} must pass, and was not judged"
        elif not all(now) and all(then):
            failed = f"{now.count(False)} of {_counted(len(now), 'answer')} failed"
            yield Verdict.NOT_MET, f"{suite}/{name} must pass: {failed}" + (", none of the baseline's" if then else "")


def coverage(checks: Sequence[Check], bars: Bars) -> Iterator[Ruling]:
    """Look at how much was judged, repetitions included."""
    scored = sum(check.outcome.scored for check in checks)
    if scored / len(checks) < bars.min_coverage:
        yield (
            Verdict.INCONCLUSIVE,
            f"only {scored} of {len(checks)} checks were judged ({_percent(scored / len(checks))}); the bar is {_percent(bars.min_coverage)}",
        )


def rate(checks: Sequence[Check], own: Sequence[Check], bars: Bars) -> Iterator[Ruling]:
    """Hold the pass rate of the answers that count (`own`, of all `checks`) against its bar."""
    bar = bars.fail_under or 0.0
    scored = [check for check in own if check.outcome.scored]
    passed = sum(check.outcome is Outcome.PASSED for check in scored)
    if not scored:
        return  # the coverage says it
    low, high = clustered_interval(clusters(scored))
    told = f"{passed} of {len(scored)} checks passed, {_percent(passed / len(scored))} (95 % interval {_percent(low)} to {_percent(high)})"
    bar_told = f"the bar is {_percent(bar)}"
    missing = len(own) - len(scored)
    is_covered = sum(check.outcome.scored for check in checks) / len(checks) >= bars.min_coverage
    if passed / len(scored) >= bar:
        yield Verdict.MET, f"{told}; {bar_told}"
    elif is_covered:
        yield Verdict.NOT_MET, f"{told}; {bar_told}"
    elif (passed + missing) / len(own) < bar:
        yield Verdict.NOT_MET, f"{told}; {bar_told}, and is out of reach even if all that was not judged had passed"
    else:
        yield Verdict.INCONCLUSIVE, f"{told}; {bar_told}, and what was not judged decides"


def compared(found: Compared, bars: Bars) -> Iterator[Ruling]:
    """Look at a comparison with the baseline."""
    result, share = found.result, found.coverage
    if result.p_value is None or result.difference is None or share is None:
        yield Verdict.INCONCLUSIVE, f"no check was judged both here and in the baseline ({result.baseline})"
        return
    told = (
        f"{result.worse} worse and {result.better} better than {result.baseline}, of {_counted(result.pairs, 'check')} of "
        f"{_counted(result.answers, 'answer')}: {100 * result.difference:+.1f} points"
    )
    rarely = "less than 0.01 %" if result.p_value < LEAST_P else _percent(result.p_value, 2)
    chance = f"chance alone does that in {rarely} of runs"
    is_covered = share >= bars.min_coverage
    if not is_covered:
        judged = f"only {_percent(share)} of the checks shared with {result.baseline} were judged on both sides"
        bar = f"the bar is {_percent(bars.min_coverage)}"
        yield Verdict.INCONCLUSIVE, f"{judged}; {bar}; by these {_smallest(result)} could be shown"
    if result.p_value <= LEVEL and (is_covered or found.p_at_best <= LEVEL):
        yield Verdict.NOT_MET, f"{told}; {chance}"
        return
    if result.p_value <= LEVEL:
        yield Verdict.INCONCLUSIVE, f"{told}; what was not judged could outweigh it"
    elif -result.difference >= bars.drop:
        yield Verdict.INCONCLUSIVE, f"{told}, but {chance}; {_needed(result)}"
    elif result.smallest_drop is not None and result.smallest_drop <= bars.drop:
        yield Verdict.MET, f"{told}; a drop of {_points(result.smallest_drop)} would have shown"
    elif result.low is not None and result.high is not None and result.low > -bars.drop:
        interval = f"95 % interval {100 * result.low:+.1f} to {100 * result.high:+.1f}"
        yield Verdict.MET, f"{told} ({interval}); a drop of {_points(bars.drop)} is ruled out"
    else:
        yield (
            Verdict.INCONCLUSIVE,
            f"{told}; by so few answers {_smallest(result)} could be shown, and {_points(bars.drop)} were asked for (--llm-drop); {_needed(result)}",
        )


def _smallest(result: Comparison) -> str:
    drop = result.smallest_drop
    return "no drop at all" if drop is None else f"no drop of less than {_points(drop)}"


def _needed(result: Comparison) -> str:
    number = result.samples_needed or f"more than {MAX_SAMPLES}"
    return f"{number} different answers to each suite would be needed (--llm-samples, for the baseline, too)"


def _percent(share: float, digits: int = 1) -> str:
    return f"{_short(share, digits)} %"


def _points(share: float) -> str:
    return f"{_short(share, 1)} points"


def _short(share: float, digits: int) -> str:
    return f"{100 * share:.{digits}f}".rstrip("0").rstrip(".")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
