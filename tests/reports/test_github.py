from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest

from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Gate, Report
from pytest_llmbench.reports.details import NO_DETAILS
from pytest_llmbench.reports.github import (
    MAX_ANNOTATIONS,
    SUMMARY_LIMIT_BYTES,
    Annotation,
    command,
    find_annotations,
    summary,
)
from pytest_llmbench.reports.markdown_report import render
from tests.reports.sample import make_sample

HOSTILE = (
    "::error::mine",
    "  ::add-mask::e",
    "x ##[add-mask]e",
    "a\n::stop-commands::x\nb",
    "a\r::set-output name=x::y",
    "a\u2028::set-output name=x::y\x85::debug::z",
    "100%0A::error::x",
    "title=x,file=/etc/passwd::line",
    "%25%3A%2C",
    "\x1b[2K\u202e",
)


def read(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as GitHub's runner does: level, properties, message.

    Its rules: from the first `::` to the second, `,` between properties, the first `=` ends a name; escapes are undone last.
    """
    found = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
    assert found is not None
    level, properties, message = found.groups()
    pairs = (pair.split("=", 1) for pair in properties.split(","))
    return level, {name: unquote(value) for name, value in pairs}, unquote(message)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_text_leaves_its_place(hostile: str) -> None:
    line = command(Annotation("warning", hostile, f"first\n{hostile}"))
    assert len(line.splitlines()) == 1
    level, properties, message = read(line)
    assert level == "warning"
    assert list(properties) == ["title"]
    assert message.startswith("first\n")
    assert not re.search("[\r\x1b\u202e\u2028\x85]", properties["title"] + message)


def test_texts_come_back_as_they_were() -> None:
    line = command(Annotation("error", "100 %: a, b", "50 % of it:\nassert x == 'a,b'"))
    assert line == "::error title=100 %25%3A a%2C b::50 %25 of it:%0Aassert x == 'a,b'"
    assert read(line) == ("error", {"title": "100 %: a, b"}, "50 % of it:\nassert x == 'a,b'")


def test_what_stops_the_build_is_told_first() -> None:
    assert [(one.level, one.title) for one in find_annotations(make_sample())] == [
        ("error", "llmbench: The bar is not met"),
        ("error", "qwen3-coder-awq: zmq/clean_shutdown: 1 of 1 answers passed, now 0 of 1"),
        ("error", "llama-70b: died while loading (exit status 1), GPU memory"),
    ]


def test_a_bar_that_is_met_has_no_errors() -> None:
    sample = make_sample()
    met = replace(sample, gate=replace(sample.gate, verdict="met"))
    assert {one.level for one in find_annotations(met)} == {"warning"}


def test_inconclusive_is_an_error_with_its_reasons() -> None:
    sample = replace(make_sample(), gate=Gate("inconclusive", ("only 3 of 22 checks were judged", "and that")))
    first = find_annotations(sample)[0]
    assert (first.level, first.message) == ("error", "only 3 of 22 checks were judged\nand that")


def test_without_a_gate_each_failed_check_is_an_error_once() -> None:
    sample = replace(make_sample(), gate=Gate(None, ()))
    again = tuple(replace(check, sample=2) for check in sample.checks)
    found = find_annotations(replace(sample, checks=(*sample.checks, *again)))
    assert [(one.level, one.title) for one in found[1:]] == [
        ("error", "qwen3-coder-fp8: stratum/stale_job: 2 of 2 answers wrong"),
        ("error", "qwen3-coder-awq: stratum/stale_job: 2 of 2 answers wrong"),
        ("error", "qwen3-coder-awq: zmq/clean_shutdown: 2 of 2 answers wrong"),
    ]


def test_checks_that_could_not_be_judged_are_told_with_their_reasons() -> None:
    sample = replace(make_sample(), gate=Gate(None, ()))
    broken = tuple(
        replace(check, outcome=Outcome.INFRA_ERROR, evidence="infra_error: reset by peer\nmore")
        if check.endpoint == "qwen3-coder-awq" and check.suite == "stratum"
        else check
        for check in sample.checks
    )
    assert find_annotations(replace(sample, checks=broken))[-1] == Annotation(
        "error", "qwen3-coder-awq: 3 checks could not be judged", "3 x infra_error: reset by peer"
    )


def many(count: int) -> Report:
    sample = replace(make_sample(), gate=Gate(None, ()))
    (wrong, *_) = [check for check in sample.checks if check.outcome == "wrong"]
    checks = tuple(replace(wrong, check=f"check{number}") for number in range(count))
    return replace(sample, checks=checks, endpoints=sample.endpoints[:1])


@pytest.mark.parametrize(("count", "told"), [(0, 0), (MAX_ANNOTATIONS, MAX_ANNOTATIONS), (50, MAX_ANNOTATIONS)])
def test_there_are_at_most_ten_annotations(count: int, told: int) -> None:
    assert len(find_annotations(many(count))) == told


def test_the_last_one_stands_for_the_rest() -> None:
    assert find_annotations(many(50))[-1] == Annotation(
        "error", "llmbench: 41 more", "All of them are in the job's summary."
    )


def test_the_summary_is_the_markdown_report() -> None:
    assert summary(make_sample()) == render(make_sample(), NO_DETAILS)


@pytest.mark.parametrize("taken", [0, 1000, SUMMARY_LIMIT_BYTES - 5000])
def test_a_summary_that_is_too_long_ends_with_a_whole_line(taken: int) -> None:
    sample = make_sample()
    reasons = tuple(f"reason {number} ü {'x' * 900}" for number in range(2000))
    long = replace(sample, gate=replace(sample.gate, reasons=reasons))
    text = summary(long, taken)
    assert SUMMARY_LIMIT_BYTES - 2000 < len(text.encode()) + taken <= SUMMARY_LIMIT_BYTES
    assert text.endswith("\n\n… cut here: GitHub takes no more. All of it is in the run folder.\n")
    whole = render(long, NO_DETAILS)
    assert whole.startswith(text.rsplit("\n… cut", 1)[0])


def test_where_there_is_no_room_nothing_is_said() -> None:
    assert summary(make_sample(), SUMMARY_LIMIT_BYTES) == ""
