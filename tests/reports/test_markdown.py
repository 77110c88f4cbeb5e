from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pytest_llmbench.model.endpoint import ServerInfo
from pytest_llmbench.model.report import Comparison, Gate, Regression, Report, SuiteRow, Tally
from pytest_llmbench.reports.details import NO_DETAILS
from pytest_llmbench.reports.markdown_report import render
from pytest_llmbench.reports.markdown_tables import MAX_ROWS
from pytest_llmbench.reports.markdown_text import MAX_TEXT, code, code_cell, visible, word_cell
from tests.reports.conftest import make_report
from tests.reports.sample import FAILURE, make_checks, make_endpoint, make_sample, make_scores

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "report.md"
HOSTILE = (
    "<script>alert(1)</script>",
    "<!-- ",
    "<img src=x onerror=alert(1)>",
    "[here](javascript:alert(1))",
    "![pixel](http://evil.example/x.png)",
    "see http://evil.example/a and www.evil.example",
    "mail me@evil.example",
    "@everyone #1 evil/repo#2",
    "a|b||c",
    "back\\|slash\\\\|",
    "ends in a backslash\\",
    "`tick",
    "``two`` and ```three",
    "`",
    "one\n\n# heading\n\n| a | b |\n|---|---|\n| c | d |",
    "cr\r\r\n- item\x0b\x0c\x85\u2028end",
    "right\u202eto left\u2066\u200b\u00ad\ufeff",
    "nul\x00 bell\x07 escape\x1b[31m lone \ud800",
    "*bold* _it_ ~~gone~~ &lt;b&gt; :smile: $x$",
    "    indented",
)


def tokens_of(text: str) -> list[Token]:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)


def inline(tokens: list[Token]) -> Iterator[Token]:
    return (child for token in tokens for child in token.children or ())


def make_hostile(text: str) -> Report:
    """Put a foreign text wherever a report takes one from somebody else."""
    sample = make_sample()
    checks = tuple(
        replace(check, endpoint=text, suite=text, check=f"{text}{check.check}", evidence=text)
        for check in (
            *make_checks("qwen3-coder-awq"),
            *make_checks("qwen3-coder-fp8", outcome=make_report().checks[-1].outcome),
        )
    )
    tally = Tally(1, 1)
    comparison = Comparison(
        text, text, 1, 1, 1, 0, None, None, None, None, None, None,
        regressions=(Regression(text, text, must_pass=False, before=tally, after=tally, samples=(), evidence=text),),
    )  # fmt: skip
    failure = replace(FAILURE, line=text, advice=text, ended=text, log=text)
    return replace(
        sample,
        run=replace(sample.run, id=text, version=text, command=(text,), started_at=text),
        endpoints=(
            make_endpoint(text, model=text),
            make_endpoint("failed", model=text, server=ServerInfo(failure=failure)),
            make_endpoint("problem", problem=text),
        ),
        checks=checks,
        scores=tuple(replace(row, coverage=1.0) for row in make_scores(checks) if row.suite is None),
        suites=(SuiteRow(text, text, text, "", ""), SuiteRow(text, text, text, "", "1")),
        speed=tuple(replace(row, endpoint=text, workload=text, marks={text: text}) for row in sample.speed),
        gate=replace(sample.gate, reasons=(text,), comparisons=(comparison,)),
    )


def test_the_example_in_the_documentation_is_what_comes_out() -> None:
    assert render(make_sample(), NO_DETAILS) == EXAMPLE.read_text("utf-8")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_foreign_text_is_never_markup(hostile: str) -> None:
    tokens = tokens_of(render(make_hostile(hostile), NO_DETAILS))
    kinds = {token.type for token in tokens} | {child.type for child in inline(tokens)}
    assert kinds <= {
        "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text", "code_inline",
        "strong_open", "strong_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
        "table_open", "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close",
        "th_open", "th_close", "td_open", "td_close",
    }  # fmt: skip
    # All of it stands in code spans, whole: no bar has split a cell, no tick has ended a span.
    spans = [child.content for child in inline(tokens) if child.type == "code_inline"]
    wanted = {visible(hostile), visible(hostile).replace("\\|", "\\ |"), visible(hostile.splitlines()[0])}
    assert sum(any(text in span for text in wanted) for span in spans) >= 20
    elsewhere = "".join(child.content for child in inline(tokens) if child.type == "text")
    for trace in ("script", "evil", "slash", "tick", "heading", "nul", "bold"):
        assert trace not in elsewhere


@pytest.mark.parametrize("hostile", HOSTILE)
def test_every_row_has_the_cells_of_its_head(hostile: str) -> None:
    # GitHub's own reader takes a backslash and what stands behind it together; the parser above only looks one back.
    cell = re.compile(r"(?:\\[!-/:-@\[-`{-~]|[^|])+")
    tables = re.findall(r"(?:^\|.*\n)+", render(make_hostile(hostile), NO_DETAILS), re.MULTILINE)
    assert len(tables) >= 4
    for table in tables:
        counts = [len(cell.findall(line[1:-1])) for line in table.splitlines()]
        assert len(counts) >= 3
        assert len(set(counts)) == 1, table


def test_heads_and_cells_are_told_apart_by_a_real_parser() -> None:
    tokens = tokens_of(render(make_sample(), NO_DETAILS))
    heads = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "th_open"]
    assert heads[:6] == ["#", "endpoint", "model", "passed", "rate", "95 % CI"]
    cells = [tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "td_open"]
    assert cells[:6] == ["1", "`qwen3-coder-fp8`", "`org/qwen3-coder-fp8`", "4/5", "80.0%", "50-90 %"]


def test_what_broke_is_told_once_with_both_answers() -> None:
    text = render(make_sample(), NO_DETAILS)
    assert text.count("`zmq/clean_shutdown`") == 1
    assert (
        "- **Broken**: `zmq/clean_shutdown` 1/1 → 0/1 (must pass): `AssertionError: still running 5 s after SIGTERM: "
        "{'pid': 41, 'threads': ['heartbeat']}`\n"
        "  - before: `completions/qwen3-coder-fp8/zmq-s1.json`\n"
        "  - now: `completions/qwen3-coder-awq/zmq-s1.json`\n"
    ) in text
    assert "## Other failed checks" in text
    alone = render(replace(make_sample(), gate=Gate(None, ())), NO_DETAILS)
    assert "## Failed checks" in alone
    assert "`zmq/clean_shutdown`" in alone


def test_a_comparison_of_nothing_is_left_to_the_verdict() -> None:
    sample = make_sample()
    nothing = replace(sample.gate.comparisons[0], pairs=0, regressions=(), still_failing=())
    text = render(replace(sample, gate=replace(sample.gate, comparisons=(nothing,))), NO_DETAILS)
    assert "What changed" not in text


def test_the_verdict_comes_first() -> None:
    assert render(make_sample(), NO_DETAILS).splitlines()[2] == "**❌ The bar is not met**"


def test_a_report_without_a_gate_begins_with_the_leaderboard(report: Report) -> None:
    assert render(report, NO_DETAILS).splitlines()[2] == "## Leaderboard"


def test_counts_say_what_could_not_be_judged(report: Report) -> None:
    text = render(report, NO_DETAILS)
    assert "4/4 of 5" in text
    assert "`a-model-with-a-name-that-is-far-too-long` has no rank: only 4 of its 5 checks could be judged" in text


def test_a_run_that_only_measured_speed_says_how_fast_it_was() -> None:
    sample = make_sample()
    text = render(replace(sample, checks=(), scores=(), completions=(), gate=Gate(None, ())), NO_DETAILS)
    assert "## Leaderboard" not in text
    (row,) = [line for line in text.splitlines() if line.startswith("| `qwen3-coder-awq` | single-stream")]
    assert "88.00 ± 0.88" in row


def test_a_report_of_nothing_is_valid_too(report: Report) -> None:
    nothing = replace(report, endpoints=(), completions=(), checks=(), scores=(), speed=())
    assert "table_open" not in {token.type for token in tokens_of(render(nothing, NO_DETAILS))}


def test_several_answers_have_their_figures(report: Report) -> None:
    scores = tuple(replace(row, pass_at_k=(0.4, 0.6), pass_hat_k=(0.4, 0.2), flickers=3) for row in report.scores)
    (row,) = [
        line
        for line in render(replace(report, scores=scores), NO_DETAILS).splitlines()
        if "| 40.0%" in line or " 40.0% |" in line
    ]
    assert "60% (k=2)" in row
    assert "20% (k=2)" in row


def test_a_run_without_a_sandbox_says_so_first() -> None:
    assert "**No sandbox**" in render(make_report("none"), NO_DETAILS).split("## Leaderboard", 1)[0]


def test_long_tables_and_long_texts_are_cut() -> None:
    sample = make_sample()
    (wrong, *_) = [check for check in sample.checks if check.outcome == "wrong"]
    checks = tuple(replace(wrong, check=f"check{number}", evidence="x" * 5000) for number in range(MAX_ROWS + 7))
    text = render(replace(sample, checks=checks, gate=Gate(None, ())), NO_DETAILS)
    assert "… and 7 more, see report.json." in text
    assert "x" * (MAX_TEXT - 1) + "…" in text
    assert "x" * (MAX_TEXT + 1) not in text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain", "`plain`"),
        ("", "-"),
        (None, "-"),
        (" \n ", "-"),
        ("`", "`` ` ``"),
        ("a`b``c", "```a`b``c```"),
        ("a|b", "`a|b`"),
        ("\u202e", "`⟨U+202E⟩`"),
    ],
)
def test_a_code_span(text: str | None, wanted: str) -> None:
    assert code(text) == wanted


def test_cells() -> None:
    assert code_cell("a|b") == "`a\\|b`"
    assert word_cell("died while loading (exit status 1)") == "died while loading (exit status 1)"
    assert word_cell("www.evil.example") == "`www.evil.example`"
    assert word_cell("Stop it. Then start it again.") == "Stop it. Then start it again."


def test_the_page_on_reports_shows_a_part_of_the_example() -> None:
    page = (EXAMPLE.parents[1] / "reports.md").read_text("utf-8")
    shown = [line for line in page.splitlines() if line.startswith("|") and "qwen3" in line]
    assert len(shown) == 2
    assert set(shown) <= set(EXAMPLE.read_text("utf-8").splitlines())
