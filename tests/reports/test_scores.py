from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_llmbench.model.completion import Completion, Exchange
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.report import Gate, Report, SuiteRow
from pytest_llmbench.reports.build import build_report, with_scores
from pytest_llmbench.reports.gate_lines import repetition_lines
from pytest_llmbench.stats.intervals import wilson
from tests.stats.making import RUN, asked_at, checks

SUITES = (
    SuiteRow("zmq", "Notifier", "easy", "p1", "v1"),
    SuiteRow("stratum", "Server", "nightmare", "p2", "v2"),
    SuiteRow("pplns", "Payouts", "easy", "p3", "v3"),
)


def made(sha256: Sequence[str | None] = (), **suites: Sequence[str]) -> Report:
    """Make a report of one endpoint; `sha256` are those of its answers to the suite zmq, sample by sample."""
    own = checks("new", must_pass=["zmq/b"], **suites)
    completions = [
        Completion("new", "zmq", sample, {"seed": 40 + sample}, "", Exchange("x"), answer_sha256=sha)
        for sample, sha in enumerate(sha256, 1)
    ]
    return build_report(RUN, [Endpoint("new")], completions, own, suites=SUITES)


def test_each_check_has_a_score_and_says_whether_it_flickers() -> None:
    found = {(one.suite, one.check): one for one in made(zmq=["PW", "PP", "PI"], stratum=["W", "W", "W"]).check_scores}
    assert list(found) == [("stratum", "a"), ("zmq", "a"), ("zmq", "b")]
    flickering = found["zmq", "b"]
    assert (flickering.passed, flickering.scored, flickering.rate, flickering.flickers) == (1, 2, 0.5, True)
    assert (flickering.difficulty, flickering.must_pass) == ("easy", True)
    assert (flickering.low, flickering.high) == wilson(0.5, 2)
    assert (found["zmq", "a"].flickers, found["zmq", "a"].must_pass) == (False, False)
    assert found["stratum", "a"].difficulty == "nightmare"


def test_a_check_that_was_never_judged_has_no_rate() -> None:
    (found,) = made(zmq=["I", "I"]).check_scores
    assert (found.scored, found.rate, found.low, found.high, found.flickers) == (0, None, None, None, False)


def test_suites_and_endpoints_have_pass_at_k_and_flickers() -> None:
    suite, whole = made(zmq=["PW", "PP", "PW"]).scores
    assert (suite.suite, whole.suite) == ("zmq", None)
    assert (suite.completions, suite.flickers) == (3, 1)
    assert suite.pass_at_k == pytest.approx((4 / 6, (1 + 2 / 3) / 2, 1.0))
    assert suite.pass_hat_k == pytest.approx((4 / 6, 0.5, 0.5))


def test_checks_of_one_answer_tell_less_than_as_many_answers() -> None:
    together, apart = made(zmq=["PPPPPPPW"]).scores[-1], made(zmq=["P"] * 7 + ["W"]).scores[-1]
    assert together.rate == apart.rate == 7 / 8
    assert together.low is not None
    assert apart.low is not None
    assert together.low < apart.low - 0.1


def test_difficulties_are_counted_over_suites() -> None:
    easy, nightmare = made(zmq=["PW"], pplns=["PP"], stratum=["W"]).difficulty_scores
    assert (easy.difficulty, easy.passed, easy.scored, easy.rate) == ("easy", 3, 4, 0.75)
    assert (nightmare.difficulty, nightmare.passed, nightmare.scored) == ("nightmare", 0, 1)


def test_without_suites_difficulties_are_unknown() -> None:
    found = build_report(RUN, [Endpoint("new")], [], checks("new", zmq=["P"]))
    assert not found.suites
    assert not found.difficulty_scores
    assert found.check_scores[0].difficulty is None


def test_only_suites_that_were_asked_are_in_the_report() -> None:
    assert [row.name for row in made(zmq=["P"], pplns=["P"]).suites] == ["pplns", "zmq"]


def test_an_answer_that_came_again_counts_once_and_that_is_said() -> None:
    found = made(["aa", "aa", "bb"], zmq=["PW", "PW", "PP"])
    score = found.scores[-1]
    assert (score.passed, score.scored, score.completions, score.coverage) == (3, 4, 2, 1.0)
    assert [(row.answer_sha256, row.seed) for row in found.completions] == [("aa", 41), ("aa", 42), ("bb", 43)]
    assert repetition_lines(found) == [
        "new: answers that came before, word for word, as temperature 0 makes it, count once: zmq 1"
    ]
    assert repetition_lines(made(["aa", "bb"], zmq=["PW", "PW"])) == []


def test_coverage_is_of_all_checks_that_were_run() -> None:
    score = made(["aa", "aa", None], zmq=["PW", "PW", "II"]).scores[-1]
    assert (score.scored, score.coverage) == (2, 4 / 6)


def test_where_answers_are_drawn_anew_all_count_and_nothing_is_said() -> None:
    warm = asked_at(0.7, made(["aa", "aa"], zmq=["PW", "PW"]))
    assert repetition_lines(warm) == []
    score = with_scores(warm, SUITES).scores[-1]
    assert (score.passed, score.scored, score.completions) == (2, 4, 2)


def test_temperature_is_not_blamed_where_recorded_texts_are_the_same() -> None:
    found = made(["aa", "aa"], zmq=["P", "P"])
    recorded = replace(found.endpoints[0], replay="there")
    assert repetition_lines(replace(found, endpoints=(recorded,))) == [
        "new: answers that came before, word for word, count once: zmq 1"
    ]


def test_the_judge_of_a_report_sees_its_scores() -> None:
    def judge(report: Report) -> Gate:
        assert report.scores
        assert report.suites
        return Gate("met", (str(report.scores[-1].passed),))

    found = build_report(RUN, [Endpoint("new")], [], checks("new", zmq=["PP"]), suites=SUITES, judge=judge)
    assert found.gate == Gate("met", ("2",))
