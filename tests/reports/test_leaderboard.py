from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_llmbench.model.endpoint import ServerInfo
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import DifficultyScore, Report, ScoreRow, SuiteRow
from pytest_llmbench.reports.headline import Source, headline
from pytest_llmbench.reports.leaderboard import counted, leaderboard
from pytest_llmbench.reports.winners import Winner, winners
from tests.reports.sample import (
    FAILURE,
    INFRA,
    PASSED,
    make_checks,
    make_completions,
    make_endpoint,
    make_sample,
    make_scores,
    make_speed,
)


def make_ranking(rates: Sequence[tuple[int, float, float]]) -> Report:
    """Endpoints a, b, c … with so many of 10 checks passed, and these intervals."""
    sample = make_sample()
    names = [chr(ord("a") + place) for place in range(len(rates))]
    scores = tuple(
        ScoreRow(name, None, passed, 10, 1.0, passed / 10, low, high)
        for name, (passed, low, high) in zip(names, rates, strict=True)
    )
    checks = tuple(check for name in names for check in make_checks(name))
    return replace(
        sample,
        endpoints=tuple(map(make_endpoint, names)),
        checks=checks,
        scores=scores,
        completions=(),
        speed=(),
        suites=(),
    )


def test_ranks_go_by_rate_and_equal_rates_share_one() -> None:
    report = make_ranking([(5, 0.2, 0.8), (9, 0.7, 1.0), (5, 0.2, 0.8), (2, 0.0, 0.5)])
    assert [(one.name, one.rank) for one in leaderboard(report).standings] == [("b", 1), ("a", 2), ("c", 2), ("d", 4)]


def test_an_interval_that_overlaps_the_first_one_s_is_not_told_apart_from_it() -> None:
    report = make_ranking([(9, 0.7, 1.0), (6, 0.4, 0.7), (5, 0.2, 0.69)])
    assert [one.near_best for one in leaderboard(report).standings] == [True, True, False]


def test_what_was_judged_by_too_little_has_no_rank_and_wins_nothing() -> None:
    sample = make_sample()
    few = tuple(
        replace(check, outcome=INFRA) if check.endpoint == "qwen3-coder-fp8" and check.suite == "stratum" else check
        for check in sample.checks
    )
    report = replace(sample, checks=few, scores=make_scores(few))
    first, second = leaderboard(report).standings
    assert (first.name, first.rank) == ("qwen3-coder-awq", 1)
    assert (second.name, second.rank, second.total.rate) == ("qwen3-coder-fp8", None, 1.0)
    assert second.unranked == "only 2 of its 5 checks could be judged; a rank takes 95%"
    assert winners(report, leaderboard(report)) == ()


def test_one_who_was_asked_a_part_only_is_not_ranked_beside_those_who_were_asked_all() -> None:
    sample = make_sample()
    part = tuple(check for check in sample.checks if check.endpoint != "qwen3-coder-awq" or check.suite == "zmq")
    report = replace(sample, checks=part, scores=make_scores(part))
    (awq,) = [one for one in leaderboard(report).standings if one.name == "qwen3-coder-awq"]
    assert (awq.rank, awq.unranked) == (None, "judged by 2 of the 5 checks that others were judged by")
    assert list(awq.suites) == ["zmq"]


def test_endpoints_that_failed_stand_apart_with_the_line_that_tells() -> None:
    sample = make_sample()
    report = replace(
        sample,
        endpoints=(
            *sample.endpoints,
            make_endpoint("gone", problem="http://h/v1: refused"),
            make_endpoint("silent"),
            make_endpoint("late", server=ServerInfo(failure=replace(FAILURE, ended=None))),
        ),
        checks=(*sample.checks, *make_checks("silent", outcome=INFRA), *make_checks("late")),
    )
    report = replace(report, scores=make_scores(report.checks))
    board = leaderboard(report)
    assert [(one.name, one.phase, one.cause, one.line) for one in board.failed] == [
        ("llama-70b", "died while loading (exit status 1)", "GPU memory", FAILURE.line),
        ("gone", "could not be asked", None, "http://h/v1: refused"),
        ("silent", "no check could be judged", None, "infra_error: its server failed"),
        ("late", "died while loading", "GPU memory", FAILURE.line),
    ]
    # A server that died late has a place of its own for what it did before.
    assert [one.name for one in board.standings] == ["late", "qwen3-coder-fp8", "qwen3-coder-awq"]


def test_figures_are_of_speed_tests_where_there_are_any() -> None:
    found = headline(make_sample(), "qwen3-coder-awq")
    assert found.tok_s is not None
    assert (found.tok_s.value, found.tok_s.source, found.tok_s.about) == (88.0, Source.SPEED_TEST, "single-stream")
    assert found.peak_tok_s is not None
    assert found.peak_tok_s.value == pytest.approx(563.2)
    assert found.peak_tok_s.about == "sweep, 8 streams"
    assert found.ttft_s is not None
    assert found.ttft_s.value == 0.205


def test_figures_of_answers_say_whether_they_were_alone() -> None:
    sample = replace(make_sample(), speed=())
    together = headline(sample, "qwen3-coder-fp8")
    assert together.tok_s is not None
    assert (together.tok_s.value, together.tok_s.source, together.tok_s.is_comparable) == (61.0, Source.TOGETHER, False)
    assert together.peak_tok_s is None
    one_by_one = replace(sample, completions=tuple(replace(row, concurrency=1) for row in sample.completions))
    alone = headline(one_by_one, "qwen3-coder-fp8")
    assert alone.tok_s is not None
    assert (alone.tok_s.source, alone.tok_s.is_comparable) == (Source.ALONE, True)
    assert headline(sample, "llama-70b").tok_s is None


def test_each_category_has_its_winner() -> None:
    sample = make_sample()
    assert [(one.category, one.endpoints, one.figure) for one in winners(sample, leaderboard(sample))] == [
        ("quality", ("qwen3-coder-fp8",), "4/5"),
        ("stratum (nightmare)", ("qwen3-coder-fp8", "qwen3-coder-awq"), "2/3"),
        ("zmq (easy)", ("qwen3-coder-fp8",), "2/2"),
        ("fastest single stream", ("qwen3-coder-awq",), "88.0 tok/s"),
        ("highest throughput", ("qwen3-coder-awq",), "563 tok/s"),
        ("shortest time to first token", ("qwen3-coder-awq", "qwen3-coder-fp8"), "0.205 s"),
        ("most quality for the time", ("qwen3-coder-awq",), "6.6 passed checks a minute"),
    ]


def categories(report: Report) -> set[str]:
    return {one.category for one in winners(report, leaderboard(report))}


def test_nobody_wins_what_was_not_measured() -> None:
    sample = make_sample()
    assert categories(replace(sample, speed=())) == {"quality", "stratum (nightmare)", "zmq (easy)"}
    one_only = tuple(row for row in sample.speed if row.endpoint == "qwen3-coder-awq")
    assert categories(replace(sample, speed=one_only)) == {"quality", "stratum (nightmare)", "zmq (easy)"}


def test_a_stream_in_circles_is_not_the_fastest() -> None:
    sample = make_sample()
    marked = tuple(
        replace(row, marks={"degenerate": "loops"}) if row.endpoint == "qwen3-coder-awq" else row
        for row in sample.speed
    )
    assert "fastest single stream" not in categories(replace(sample, speed=marked))


def test_speed_tests_are_not_compared_with_what_answers_took() -> None:
    sample = make_sample()
    completions = tuple(replace(row, concurrency=1) for row in sample.completions)
    mixed = tuple(row for row in sample.speed if row.endpoint == "qwen3-coder-awq")
    assert "fastest single stream" not in categories(replace(sample, speed=mixed, completions=completions))
    assert "fastest single stream" in categories(replace(sample, speed=(), completions=completions))


def test_figures_of_other_lengths_or_levels_are_not_compared() -> None:
    sample = make_sample()

    def changed(**changes: object) -> Report:
        rows = (replace(row, **changes) if row.endpoint == "qwen3-coder-awq" else row for row in sample.speed)  # type: ignore[arg-type]
        return replace(sample, speed=tuple(rows))

    speeds = {"fastest single stream", "highest throughput", "shortest time to first token"}
    assert categories(changed()) >= speeds
    assert not categories(changed(target_prompt_tokens=4096)) & speeds
    fewer = tuple(row for row in sample.speed if row.endpoint == "qwen3-coder-awq" or row.concurrency == 1)
    assert categories(replace(sample, speed=fewer)) & speeds == speeds - {"highest throughput"}


def test_an_answer_that_repeats_itself_costs_no_more_than_it_brings() -> None:
    sample = make_sample()
    again = replace(
        sample,
        checks=(*sample.checks, *(replace(check, sample=2) for check in sample.checks)),
        completions=(*sample.completions, *(replace(row, sample=2) for row in sample.completions)),
    )  # the scores count the same answer once

    def worth(report: Report) -> str:
        return next(one.figure for one in winners(report, leaderboard(report)) if "for the time" in one.category)

    assert worth(again) == worth(sample)
    lost = replace(sample.completions[0], sample=2, completion_tokens=None, error="reset by peer")
    assert worth(replace(sample, completions=(*sample.completions, lost))) == worth(sample)


def test_a_difficulty_of_several_suites_has_a_winner_of_its_own() -> None:
    sample = make_sample()
    suites = tuple(SuiteRow(row.name, row.title, "hard", "", "") for row in sample.suites)
    rows = tuple(
        DifficultyScore(name, "hard", passed, 5, passed / 5, 0.0, 1.0)
        for name, passed in (("qwen3-coder-fp8", 4), ("qwen3-coder-awq", 3), ("llama-70b", 5))
    )
    report = replace(sample, suites=suites, difficulty_scores=rows)
    found = [one for one in winners(report, leaderboard(report)) if one.category == "all hard suites"]
    assert found == [Winner("all hard suites", ("qwen3-coder-fp8",), 2, "4/5")]


def test_where_all_are_alike_nobody_is_ahead() -> None:
    report = make_ranking([(5, 0.2, 0.8), (5, 0.2, 0.8)])
    (quality,) = winners(report, leaderboard(report))
    assert quality.is_undecided
    assert quality.endpoints == ("a", "b")


def test_a_single_endpoint_wins_nothing() -> None:
    report = make_ranking([(5, 0.2, 0.8)])
    assert winners(report, leaderboard(report)) == ()


@pytest.mark.parametrize(
    ("row", "ran", "told"),
    [
        (None, 0, "-"),
        (ScoreRow("a", None, 3, 4, 1.0, 0.75, 0, 1), 4, "3/4"),
        (ScoreRow("a", None, 3, 4, 0.8, 0.75, 0, 1), 5, "3/4 of 5"),
        (ScoreRow("a", None, 0, 0, 0.0, None, None, None), 5, "- of 5"),
        (ScoreRow("a", None, 4, 4, 1.0, 1.0, 0, 1), 12, "4/4"),
        (ScoreRow("a", None, 4, 4, 0.75, 1.0, 0, 1), 12, "4/4, 75% judged"),
    ],
)
def test_counts(row: ScoreRow | None, ran: int, told: str) -> None:
    assert counted(row, ran) == told


def test_checks_of_endpoints_that_passed_all_are_ranked_first() -> None:
    checks = (*make_checks("a", outcome=PASSED), *make_checks("b", outcome=Outcome.TRUNCATED))
    report = replace(
        make_sample(),
        endpoints=(make_endpoint("b"), make_endpoint("a")),
        checks=checks,
        scores=make_scores(checks),
        completions=make_completions("a", 10.0),
        speed=make_speed("b", 10.0, 1.0),
    )
    assert [(one.name, one.total.passed) for one in leaderboard(report).standings] == [("a", 5), ("b", 0)]
