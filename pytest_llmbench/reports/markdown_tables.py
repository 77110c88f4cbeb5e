"""Sections of the Markdown report: the ranking, who is best at what, what failed and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Report
from pytest_llmbench.reports.evidence import first_line
from pytest_llmbench.reports.headline import DISTRUSTED, Figure, Source
from pytest_llmbench.reports.leaderboard import Leaderboard, Standing, counted
from pytest_llmbench.reports.markdown_text import MISSING, code, code_cell, table, without_empty, word_cell
from pytest_llmbench.reports.winners import winners

MAX_ROWS = 200
"""Of a table of failures; all of them are in report.json."""
MAX_NAMED = 5
"""Winners of one category that are named; more of them are counted."""

_TOGETHER, _DOUBTED = "¹", "²"
_LEGEND = {
    "≈": "≈ is not told apart from the first by these answers: the 95 % intervals overlap.",
    _TOGETHER: "¹ is the median of the graded answers, with several in flight or nobody knows how many; "
    "`--llm-speed` measures a stream alone.",
    _DOUBTED: "² is in doubt: answers went round in circles, or requests failed.",
}


def leaderboard_section(report: Report, board: Leaderboard) -> list[str]:
    """Return the ranking, what its signs mean, and who has no rank and why."""
    if not board.standings:
        return []
    difficulties = {row.name: row.difficulty for row in report.suites}
    heads = ["#", "endpoint", "model", "passed", "rate", "95 % CI", "pass@k", "pass^k", "flicker"]
    suites = [f"{suite} ({difficulties[suite]})" if suite in difficulties else suite for suite in board.suites]
    figures = ["tok/s", "peak tok/s", "TTFT s", "context"]
    rows = [_standing(one, board.suites) for one in board.standings]
    used, shown = without_empty([*heads, *map(word_cell, suites), *figures], rows, kept=2)
    lines = ["## Leaderboard", "", *table(used, shown, frozenset(used) - {"endpoint", "model"})]
    told = [text for sign, text in _LEGEND.items() if any(sign in each for row in shown for each in row)]
    told += [f"{code(one.name)} has no rank: {one.unranked}." for one in board.standings if one.unranked]
    return [*lines, *(f"- {text}" for text in told), *([""] if told else [])]


def winners_section(report: Report, board: Leaderboard) -> list[str]:
    """Return who is best at what; nothing where nobody was compared."""
    rows = [
        [
            word_cell(one.category),
            "all alike" if one.is_undecided else _names(one.endpoints),
            one.figure,
            one.about or MISSING,
        ]
        for one in winners(report, board)
    ]
    lines = table(*without_empty(["category", "best", "figure", "measured by"], rows, kept=3), frozenset({"figure"}))
    return ["## Best by category", "", *lines] if lines else []


def failed_section(board: Leaderboard) -> list[str]:
    """Return the endpoints that could not be judged, or not to the end."""
    rows = [
        [
            code_cell(one.name),
            MISSING if one.model == one.name else code_cell(one.model),
            *map(word_cell, (one.phase, one.cause)),
            code_cell(one.line),
            word_cell(one.advice),
            code_cell(one.log),
        ]
        for one in board.failed
    ]
    heads = ["endpoint", "model", "what happened", "cause", "what it said", "what to do", "log"]
    lines = table(*without_empty(heads, rows))
    return ["## Failed endpoints", "", *lines] if lines else []


def failures_section(report: Report) -> list[str]:
    """Return the checks that answers failed, and those that could not be judged, with what was said of them.

    What broke since the baseline is left out: it has been told with both answers.
    """
    told = {(one.endpoint, broken.suite, broken.check) for one in report.gate.comparisons for broken in one.regressions}
    failed = [check for check in report.checks if check.outcome.scored and check.outcome is not Outcome.PASSED]
    wrong = [check for check in failed if (check.endpoint, check.suite, check.check) not in told]
    broken = [check for check in report.checks if not check.outcome.scored]
    lines: list[str] = []
    if wrong:
        lines += [
            "## Other failed checks" if told else "## Failed checks",
            "",
            *_capped(["endpoint", "check", "answers", "outcome", "evidence"], _wrong(report, wrong)),
        ]
    if broken:
        lines += ["## Not judged", "", *_capped(["endpoint", "outcome", "checks", "reason"], _broken(broken))]
    return lines


def _standing(one: Standing, suites: Sequence[str]) -> list[str]:
    rank = MISSING if one.rank is None else f"{one.rank} ≈" if one.near_best and one.rank > 1 else str(one.rank)
    total, figures = one.total, one.headline
    return [
        rank,
        code_cell(one.name),
        MISSING if one.model == one.name else code_cell(one.model),
        counted(total, one.ran),
        MISSING if total.rate is None else f"{total.rate:.1%}",
        MISSING if total.low is None or total.high is None else f"{total.low * 100:.0f}-{total.high * 100:.0f} %",
        _of_k(total.pass_at_k),
        _of_k(total.pass_hat_k),
        str(total.flickers) if total.flickers is not None and len(total.pass_at_k) > 1 else MISSING,
        *(counted(one.suites.get(suite), one.ran_of.get(suite, 0)) for suite in suites),
        _figure(figures.tok_s, "{:.1f}"),
        _figure(figures.peak_tok_s, "{:.0f}"),
        _figure(figures.ttft_s, "{:.3f}"),
        MISSING if one.context_tokens is None else str(one.context_tokens),
    ]


def _of_k(shares: Sequence[float]) -> str:
    """Of several answers to each suite; for one, pass@1 is the rate."""
    return f"{shares[-1]:.0%} (k={len(shares)})" if len(shares) > 1 else MISSING


def _figure(figure: Figure | None, form: str) -> str:
    if figure is None:
        return MISSING
    doubted = _DOUBTED if DISTRUSTED.intersection(figure.marks) else ""
    return form.format(figure.value) + (_TOGETHER if figure.source is Source.TOGETHER else "") + doubted


def _names(endpoints: Sequence[str]) -> str:
    more = f" and {len(endpoints) - MAX_NAMED} more" if len(endpoints) > MAX_NAMED else ""
    return ", ".join(map(code_cell, endpoints[:MAX_NAMED])) + more


def _wrong(report: Report, wrong: Sequence[Check]) -> list[list[str]]:
    groups: dict[tuple[str, str, str], list[Check]] = {}
    for check in wrong:
        groups.setdefault((check.endpoint, check.suite, check.check), []).append(check)
    asked: Mapping[tuple[str, str, str], int] = Counter(
        (check.endpoint, check.suite, check.check) for check in report.checks if check.outcome.scored
    )
    return [
        [
            code_cell(endpoint),
            code_cell(f"{suite}/{check}"),
            f"{len(failed)} of {asked[endpoint, suite, check]}",
            ", ".join(dict.fromkeys(one.outcome for one in failed)),
            code_cell(_first_line(failed[0])),
        ]
        for (endpoint, suite, check), failed in groups.items()
    ]


def _broken(broken: Sequence[Check]) -> list[list[str]]:
    groups = Counter((check.endpoint, check.outcome, _first_line(check)) for check in broken)
    return [
        [code_cell(endpoint), str(outcome), str(count), code_cell(reason)]
        for (endpoint, outcome, reason), count in groups.items()
    ]


def _first_line(check: Check) -> str:
    return first_line((check.evidence or "").removeprefix(f"{check.outcome}:"))


def _capped(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rest = len(rows) - MAX_ROWS
    return [*table(heads, rows[:MAX_ROWS]), *([f"… and {rest} more, see report.json.", ""] if rest > 0 else [])]
