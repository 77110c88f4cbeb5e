"""The parts of the page, each by itself."""

from __future__ import annotations

import json
import re
import subprocess
import time
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.model.check import Check
from pytest_llmbench.model.endpoint import Endpoint
from pytest_llmbench.model.outcome import Outcome
from pytest_llmbench.model.report import Report
from pytest_llmbench.model.speed import SpeedRow, Spread
from pytest_llmbench.reports.build import build_report
from pytest_llmbench.reports.html.charts import charts
from pytest_llmbench.reports.html.diff import MAX_LINES, diffs
from pytest_llmbench.reports.html.heatmap import heatmap
from pytest_llmbench.reports.html.links import check_link, filter_link
from pytest_llmbench.reports.html.packing import Pack, cut, to_json, unpack
from pytest_llmbench.reports.html.page import policy
from pytest_llmbench.reports.html.visible import visible
from tests.reports.hostile import ATTACK, NAME

TEXTS = st.text(st.characters(exclude_categories=()), max_size=200)
FIGURE = Spread(3, 2.0, 2.0, 1.0, 3.0, 0.5, 1.0, 3.0)


@given(TEXTS)
def test_what_is_shown_can_be_encoded_and_hides_nothing(text: str) -> None:
    shown = visible(text)
    shown.encode()
    for letter in shown.replace("\r\n", "\n"):
        assert letter in "\t\n" or unicodedata.category(letter) not in {"Cc", "Cs", "Zl", "Zp"}, hex(ord(letter))
        assert unicodedata.bidirectional(letter) not in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(TEXTS.filter(lambda text: "\u27e8" not in text))
def test_texts_that_differ_look_different(text: str) -> None:
    back = re.sub(r"⟨U\+([0-9A-F]{4,6})⟩", lambda found: chr(int(found[1], 16)), visible(text))
    assert back == text


def test_plain_text_and_emoji_stay_as_they_are() -> None:
    plain = "def f():\n\treturn '✅️ ∅ 日本語 שלום'\r\n"
    assert visible(plain) == plain
    assert visible("a\rb \u202e") == "a⟨U+000D⟩b ⟨U+202E⟩"


@given(st.recursive(TEXTS | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner)))
def test_json_in_the_page_comes_back_and_cannot_end_its_script(value: object) -> None:
    text = to_json(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert not {"<", ">", "&"} & set(text)


@given(TEXTS)
def test_a_block_comes_back(text: str) -> None:
    pack = Pack()
    assert [pack.add({"a": text}), pack.add({"b": text}), pack.add({"a": text})] == [0, 1, 0]
    assert [unpack(block) for block in pack.blocks] == [{"a": text}, {"b": text}]
    assert pack.size_bytes == sum(map(len, pack.blocks))


def test_what_is_cut_keeps_its_beginning_and_its_end() -> None:
    assert cut("0123456789", 10, "where") == "0123456789"
    assert cut("0123456789", 8, "where") == ("012345", 2, "89", "where")
    assert cut("0123456789", 0, "where") == ("", 10, "", "where")


@given(st.text(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_what_is_cut_twice_is_as_if_it_had_been_cut_once(text: str, first: int, second: int) -> None:
    again = cut(cut(text, max(first, second), ""), min(first, second), "where")
    assert again == cut(text, min(first, second), "where")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\nc\n", "a\nB\nc\n"),
        ("a\nb", "a\nb\n"),
        ("a\nb\n", "a\nb"),
        ("", "new\n"),
        ("gone\n", ""),
        ("a\x0cb\u2028c\r\nd\n", "a\x0cb\u2028c\nd\n"),
    ],
)
def test_a_diff_is_what_patch_needs(before: str, after: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(before.encode())
    ((path, text),) = diffs({"file": before}, {"file": after})
    assert path == "file"
    subprocess.run(["patch", "--binary", "-s", "file"], cwd=tmp_path, input=f"{text}\n".encode(), check=True)
    assert (tmp_path / "file").read_bytes() == after.encode()


def test_only_what_changed_is_in_the_diffs() -> None:
    found = diffs({"same": "a\n", "left": "b\n"}, {"same": "a\n", "new.py": "x\n"})
    assert [path for path, _ in found] == ["new.py"]
    assert found[0][1].splitlines()[:2] == ["--- (not in the program)", "+++ answer/new.py"]


def test_a_file_that_would_take_minutes_to_compare_is_shown_whole() -> None:
    hostile = "".join(f"{number % 60}\n" for number in range(MAX_LINES * 40))
    began_s = time.process_time()
    ((_, text),) = diffs({"a": "x\n"}, {"a": hostile})
    assert time.process_time() - began_s < 5
    assert "not compared" in text.splitlines()[2]
    assert text.count("\n+") == MAX_LINES * 40 + 1


def rows(*names: str, workload: str = "sweep", **more: object) -> list[SpeedRow]:
    made = [
        SpeedRow(name, workload, streams, 0, None, None, None, 3, 3, 0, decode_tok_s=FIGURE)
        for name in names
        for streams in (1, 2, 4)
    ]
    return [replace(row, **more) for row in made]  # type: ignore[arg-type]


def test_a_chart_has_nothing_that_the_policy_forbids_and_names_are_text() -> None:
    (chart,) = charts(rows("a", NAME))
    assert not any(word in chart.svg for word in ("<style", "<script", "style=", "<!--"))
    assert "&lt;/script&gt;&lt;script&gt;" in chart.svg
    assert "⟨U+202E⟩" in chart.svg
    assert charts(rows("a", NAME)) == (chart,)


def test_lines_can_be_told_apart_without_colours() -> None:
    names = [f"endpoint{number}" for number in range(16)]
    (chart,) = charts(rows(*names))
    looks = [line.classes for line in chart.lines]
    assert len(set(looks)) == len(names)
    for look in looks:
        assert f'class="series {look}"' in chart.svg


def test_a_chart_has_its_figures_as_a_table() -> None:
    (chart,) = charts(rows("a", marks={"cached": "why"}))
    assert (chart.xs, chart.cells) == ((1, 2, 4), (("2.00 ± 0.50 †",) * 3,))


def test_what_was_measured_at_one_place_only_is_no_chart() -> None:
    assert charts(rows("a")[:1]) == ()
    assert charts(rows("a", concurrency=None)) == ()
    assert charts(rows("a", workload="single-stream")) == ()


def test_the_depth_matrix_has_a_line_for_each_length_of_answer() -> None:
    depth = [
        SpeedRow("a", "depth", 1, tokens, 512, answer, None, 3, 3, 0, decode_tok_s=FIGURE)
        for tokens in (0, 4096)
        for answer in (32, 128)
    ]
    (chart,) = charts(depth)
    assert [line.name for line in chart.lines] == ["a, tg32", "a, tg128"]
    assert chart.xs == (0, 4096)


@pytest.mark.parametrize(
    ("outcomes", "text", "level"),
    [
        ("passed", "✓", "4"),
        ("wrong", "✗", "0"),
        ("truncated", "…", "0"),
        ("infra_error", "!", "none"),
        ("passed passed", "2/2", "4"),
        ("passed passed passed passed wrong", "4/5", "3"),
        ("passed wrong", "1/2", "2"),
        ("passed wrong wrong", "1/3", "1"),
        ("wrong empty", "0/2", "0"),
        ("passed infra_error", "1/1", "4"),
    ],
)
def test_a_cell_says_what_its_colour_says(report: Report, outcomes: str, text: str, level: str) -> None:
    checks = [
        Check("e", "zmq", "a", sample, Outcome(outcome), None, 0.1, f"{sample}")
        for sample, outcome in enumerate(outcomes.split(), 1)
    ]
    ((row,),) = (heatmap(build_report(report.run, [Endpoint("e"), Endpoint("other")], [], checks)),)
    cell, other = row.cells
    assert other is None
    assert cell is not None
    assert (cell.text, cell.level) == (text, level)
    first = next((place for place, outcome in enumerate(outcomes.split(), 1) if outcome != "passed"), 1)
    assert cell.link == f"#check/e/zmq/a/{first}"
    assert cell.said.startswith("zmq a, e: ")


def test_links_are_plain_ascii_whatever_the_names_are() -> None:
    for link in (check_link(NAME, "s/s", ATTACK, 1), filter_link(endpoint=NAME, text=ATTACK)):
        assert link.isascii()
        assert link.startswith("#check")
        assert not set(link) & set("<>\"' \n")
    assert check_link("a/b", "c d", "e", 2) == "#check/a%2Fb/c%20d/e/2"


def test_the_policy_lets_nothing_in_by_default() -> None:
    rules = policy("a{}", "1").split("; ")
    assert "default-src 'none'" in rules
    assert not any(word in rule for rule in rules for word in ("unsafe", "*", "data:", "http"))
