from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import jsonschema
import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.check import Check
from pytest_llmbench.model.completion import Completion
from pytest_llmbench.model.endpoint import Sampling
from pytest_llmbench.model.report import CompletionRow, Gate, Report, ScoreRow
from pytest_llmbench.model.speed import SpeedRow
from pytest_llmbench.reports import markdown_report
from pytest_llmbench.reports.details import NO_DETAILS, Details
from pytest_llmbench.reports.json_report import render
from pytest_llmbench.reports.merge import merge
from pytest_llmbench.reports.schema import report_schema
from tests.reports.sample import make_endpoint, make_sample


class Known:
    """Says what it was asked, and by which run."""

    def __init__(self, run: str) -> None:
        self.run = run

    def completion(self, endpoint: str, suite: str, sample: int) -> Completion:
        return Completion(endpoint, suite, sample, {"run": self.run}, "", None, "refused")

    def prompt(self, suite: str) -> str | None:
        return f"{self.run}: {suite}" if suite != "unknown" else None

    def program(self, suite: str) -> Mapping[str, str]:
        return {suite: self.run}

    def candidate(self, endpoint: str, suite: str, sample: int) -> Mapping[str, str]:
        return {"who": f"{self.run}/{endpoint}/{suite}/{sample}"}

    def text(self, path: str) -> str | None:
        return f"{self.run}: {path}"


def test_one_report_stays_as_it_is() -> None:
    merged = merge([(make_sample(), NO_DETAILS)])
    assert merged.report == make_sample()
    assert merged.details is NO_DETAILS
    assert merged.remarks == ()


Row = TypeVar("Row", CompletionRow, Check, SpeedRow, ScoreRow)


def kept(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Leave the server that failed out, and call one of the others otherwise."""
    rename = {"qwen3-coder-awq": "qwen3-coder-gptq"}
    return tuple(
        replace(row, endpoint=rename.get(row.endpoint, row.endpoint)) for row in rows if row.endpoint != "llama-70b"
    )


@pytest.fixture
def other() -> Report:
    """A second run: one endpoint of the same name as in the first, one of its own."""
    sample = make_sample("run-b")
    return replace(
        sample,
        endpoints=(make_endpoint("qwen3-coder-fp8"), make_endpoint("qwen3-coder-gptq")),
        completions=kept(sample.completions),
        checks=kept(sample.checks),
        speed=kept(sample.speed),
        scores=kept(sample.scores),
        gate=Gate(None, ()),
    )


def test_endpoints_of_one_name_are_told_apart_by_their_runs(other: Report) -> None:
    merged = merge([(make_sample("run-a"), NO_DETAILS), (other, NO_DETAILS)]).report
    names = [row.name for row in merged.endpoints]
    assert names == [
        "qwen3-coder-fp8@run-a",
        "qwen3-coder-awq",
        "llama-70b",
        "qwen3-coder-fp8@run-b",
        "qwen3-coder-gptq",
    ]
    for rows in (merged.completions, merged.checks, merged.speed, merged.scores):
        found = [row.endpoint for row in rows]
        assert set(found) <= set(names)
        assert found.count("qwen3-coder-fp8@run-a") == found.count("qwen3-coder-fp8@run-b") > 0
    assert merged.run.id == "run-a+run-b"
    assert merged.run.duration_s == pytest.approx(2 * 754.2)


def test_what_is_merged_is_a_report_like_any_other(other: Report) -> None:
    merged = merge([(make_sample("run-a"), NO_DETAILS), (other, NO_DETAILS)])
    jsonschema.validate(json.loads(render(merged.report, merged.details)), json.loads(report_schema()))


def test_paths_begin_with_the_run_that_they_lead_into(other: Report) -> None:
    merged = merge([(make_sample("run-a"), Known("a")), (other, Known("b"))])
    (llama,) = [row for row in merged.report.endpoints if row.name == "llama-70b"]
    assert llama.server.failure is not None
    assert llama.server.failure.log == "run-a/servers/llama-70b-1.log"
    assert merged.details.text("run-a/servers/llama-70b-1.log") == "a: servers/llama-70b-1.log"
    last = merged.report.completions[-1]
    assert last.transcript == "run-b/completions/qwen3-coder-awq/zmq-s1.json"
    assert merged.details.text(last.transcript) == "b: completions/qwen3-coder-awq/zmq-s1.json"
    assert merged.details.text("elsewhere/x.log") is None


def test_texts_are_those_of_the_endpoint_s_own_run(other: Report) -> None:
    details = merge([(make_sample("run-a"), Known("a")), (other, Known("b"))]).details
    assert details.candidate("qwen3-coder-fp8@run-b", "zmq", 2) == {"who": "b/qwen3-coder-fp8/zmq/2"}
    assert details.candidate("llama-70b", "zmq", 1) == {"who": "a/llama-70b/zmq/1"}
    found = details.completion("qwen3-coder-fp8@run-a", "zmq", 1)
    assert found is not None
    assert (found.endpoint, found.request) == ("qwen3-coder-fp8", {"run": "a"})
    assert details.completion("nobody", "zmq", 1) is None
    assert details.candidate("nobody", "zmq", 1) == {}


def test_a_letter_is_shown_only_where_it_was_everybody_s(other: Report) -> None:
    def merged(known: Details) -> Details:
        return merge([(make_sample("run-a"), Known("a")), (other, known)]).details

    same, changed, unknown = merged(Known("a")), merged(Known("b")), merged(NO_DETAILS)
    for details in (same, unknown):
        assert (details.prompt("zmq"), details.program("zmq")) == ("a: zmq", {"zmq": "a"})
    assert same.prompt("unknown") is None
    # What one was asked is not what the other has answered.
    assert (changed.prompt("zmq"), changed.program("zmq")) == (None, {})


def test_suites_that_are_not_the_same_are_said(other: Report) -> None:
    changed = replace(
        other,
        suites=(other.suites[0], replace(other.suites[1], version="e" * 64)),
        run=replace(other.run, version="0.2.0"),
    )
    merged = merge([(make_sample("run-a"), NO_DETAILS), (changed, NO_DETAILS)])
    assert merged.remarks == (
        "suite zmq is not the same in all runs: run-a and run-b cannot be compared in it",
        "run run-a: its own gate's verdict was not_met; a merged report has none",
        "the runs were made by different versions of pytest-llmbench: 0.1.0, 0.2.0",
    )
    assert [row.name for row in merged.report.suites] == ["stratum", "zmq", "zmq"]


def test_endpoints_that_were_not_asked_alike_are_said(other: Report) -> None:
    warmer = replace(other.endpoints[1], sampling=Sampling(temperature=0.7))
    bare = replace(make_sample("run-a"), gate=Gate(None, ()))
    merged = merge([(bare, NO_DETAILS), (replace(other, endpoints=(other.endpoints[0], warmer)), NO_DETAILS)])
    assert merged.remarks == (
        "not all endpoints were asked with the same sampling: temperature, token limit and the like",
    )


def test_a_report_without_versions_is_said(other: Report) -> None:
    merged = merge([(replace(other, suites=(), run=replace(other.run, id="old")), NO_DETAILS), (other, NO_DETAILS)])
    assert merged.remarks == ("run old does not say which version of the suites it was judged by",)


def test_the_same_run_twice_is_a_mistake(other: Report) -> None:
    with pytest.raises(UsageFault, match="run run-b was given twice"):
        merge([(other, NO_DETAILS), (other, NO_DETAILS)])


def test_nor_may_one_come_again_that_was_merged_before(other: Report) -> None:
    merged = merge([(make_sample("run-a"), NO_DETAILS), (other, NO_DETAILS)]).report
    with pytest.raises(UsageFault, match="run run-b was given twice"):
        merge([(merged, NO_DETAILS), (other, NO_DETAILS)])
    third = replace(other, run=replace(other.run, id="run-c"))
    assert merge([(merged, NO_DETAILS), (third, NO_DETAILS)]).report.run.id == "run-a+run-b+run-c"


def test_a_merged_run_without_sandbox_says_so(other: Report) -> None:
    bare = replace(other, run=replace(other.run, sandbox="none"))
    assert merge([(make_sample("run-a"), NO_DETAILS), (bare, NO_DETAILS)]).report.run.sandbox == "none"


def test_a_seed_is_told_only_where_it_was_that_of_all_runs(other: Report) -> None:
    seed = make_sample().run.seed
    for theirs, told in ((seed, seed), (1, None)):
        report = replace(other, run=replace(other.run, seed=theirs))
        merged = merge([(make_sample(), NO_DETAILS), (report, NO_DETAILS)]).report
        assert merged.run.seed == told
        text = markdown_report.render(merged, NO_DETAILS)
        assert ("different seeds" in text) == (told is None)
        assert f'"seed": {json.dumps(told)}' in render(merged, NO_DETAILS)
