from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from pytest_llmbench.model.endpoint import Endpoint, Sampling
from pytest_llmbench.model.report import EndpointRow, Report, SuiteRow
from pytest_llmbench.reports.build import endpoint_row
from pytest_llmbench.reports.comparable import MAY_DIFFER, refusals
from tests.stats.making import checks, report

ZMQ = SuiteRow("zmq", "Notifier", "easy", "p1", "v1", "j1")


def baseline(*suites: SuiteRow) -> Report:
    return replace(report({"old": checks("old", zmq=["P"])}), suites=suites)


def row(name: str, sampling: Sampling = Sampling(), **extra: Any) -> EndpointRow:  # noqa: B008 - frozen
    return endpoint_row(Endpoint(name, "http://h/v1", "m", sampling=sampling, extra_body=extra))


def test_the_same_is_not_refused() -> None:
    assert refusals(baseline(ZMQ), [(row("old"), row("new"))], [ZMQ], ()) == ()


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (replace(ZMQ, prompt_sha256="p2", version="v2"), ["zmq: the letter is another one (prompts)"]),
        (replace(ZMQ, version="v2", judge_sha256="j2"), ["zmq: the judge is another one (suites)"]),
        (replace(ZMQ, version="v2", judge_sha256=None), ["zmq: the judge is another one (suites)"]),
        (
            replace(ZMQ, prompt_sha256="p2", version="v2", judge_sha256="j2"),
            ["zmq: the letter is another one (prompts)", "zmq: the judge is another one (suites)"],
        ),
        ("zmq", ["zmq: whether the * as it could not be found (prompts)", "zmq: whether the judge * (suites)"]),
        (replace(ZMQ, name="added"), []),
    ],
)
def test_what_is_asked_and_who_judges_must_be_equal(now: SuiteRow | str, says: Sequence[str]) -> None:
    found = refusals(baseline(ZMQ), [], [now], ())
    assert len(found) == len(says)
    pytest.LineMatcher(list(found)).fnmatch_lines(says)


def test_a_report_that_does_not_say_is_refused() -> None:
    assert refusals(baseline(), [], [ZMQ], ()) == (
        "zmq: whether the letter is the same is not known, as the baseline's report does not say (prompts)",
        "zmq: whether the judge is the same is not known, as the baseline's report does not say (suites)",
    )
    assert refusals(baseline(), [], [ZMQ], ("prompts", "suites")) == ()


@pytest.mark.parametrize(
    ("sampling", "extra", "says"),
    [
        (Sampling(temperature=0.5), {}, ["new: temperature was 0.0, is 0.5 (sampling)"]),
        (Sampling(max_tokens=99), {}, ["new: max_tokens was 16384, is 99 (sampling)"]),
        (Sampling(seed=3), {}, ["new: seed was not sent, is 3 (sampling)"]),
        (Sampling(), {"min_p": 0.1}, ["new: min_p was not sent, is 0.1 (sampling)"]),
        (Sampling(), {"temperature": 1}, ["new: temperature was 0.0, is 1 (sampling)"]),
        (Sampling(), {"enable_thinking": False}, ["new: enable_thinking was not sent, is False (sampling)"]),
        (Sampling(), {"user": "me"}, []),
    ],
)
def test_sampling_must_be_equal(sampling: Sampling, extra: Mapping[str, Any], says: Sequence[str]) -> None:
    pair = (row("old"), row("new", sampling, **extra))
    assert list(refusals(baseline(ZMQ), [pair], [ZMQ], ())) == says
    assert refusals(baseline(ZMQ), [pair], [ZMQ], ("sampling",)) == ()


def test_with_what_recorded_answers_were_drawn_is_not_for_this_run_to_say() -> None:
    recorded = endpoint_row(Endpoint("new", replay="there", sampling=Sampling(temperature=1.0)))
    assert refusals(baseline(ZMQ), [(row("old"), recorded)], [ZMQ], ()) == ()


def test_every_reason_can_be_allowed_by_the_name_that_it_gives() -> None:
    pair = (row("old"), row("new", Sampling(temperature=0.5)))
    for now in (replace(ZMQ, prompt_sha256="p2"), replace(ZMQ, version="v2", judge_sha256="j2")):
        found = refusals(baseline(ZMQ), [pair], [now], ())
        names = [text.rpartition("(")[2].rstrip(")") for text in found]
        assert set(names) <= set(MAY_DIFFER)
        assert refusals(baseline(ZMQ), [pair], [now], names) == ()
