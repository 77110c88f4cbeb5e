from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from pytest_llmbench.model.speed import FIGURES, SpeedRow, Spread
from pytest_llmbench.reports.delimited import HEADS, delimited
from pytest_llmbench.reports.speed_tables import bench_table, depth_matrix, deviation, markdown, sweep_table


def figure(mean: float, stdev: float | None = 0.5) -> Spread:
    return Spread(3, mean, mean, mean - 1, mean + 1, stdev, mean - 2, mean + 2)


ROW = SpeedRow(
    endpoint="qwen",
    workload="depth",
    concurrency=1,
    depth_tokens=4096,
    target_prompt_tokens=2048,
    target_answer_tokens=128,
    text="prose",
    rounds=3,
    requests=3,
    failed=0,
    ttft_s=figure(0.2517, 0.002),
    decode_tok_s=figure(101.337),
    throughput_tok_s=figure(99.0),
    unknown={"prefill_tok_s": "1 different prompt lengths, 3 are needed for a slope"},
)


def test_tests_are_named_as_llama_bench_names_them() -> None:
    assert bench_table([ROW, replace(ROW, depth_tokens=0, concurrency=8, prefill_tok_s=figure(5000.0, None), marks={"cached": "why"})]) == [
        "| endpoint |           test |           t/s |       TTFT ms |  marks |",
        "| :------- | -------------: | ------------: | ------------: | -----: |",
        "| qwen     | pp2048 @ d4096 |             - | 251.70 ± 2.00 |        |",
        "| qwen     |  tg128 @ d4096 | 101.34 ± 0.50 |               |        |",
        "| qwen     |    pp2048 (c8) |       5000.00 | 251.70 ± 2.00 | cached |",
        "| qwen     |     tg128 (c8) | 101.34 ± 0.50 |               | cached |",
    ]  # fmt: skip


def test_lengths_that_nobody_aimed_at_are_those_that_came() -> None:
    row = replace(ROW, target_prompt_tokens=None, target_answer_tokens=None, prompt_tokens=figure(33), concurrency=None)
    text = "\n".join(bench_table([row]))
    assert "pp33 @ d4096 (open)" in text
    assert "tg- @ d4096 (open)" in text


def test_sweep() -> None:
    head, rule, *lines = sweep_table([ROW, replace(ROW, concurrency=8, marks={"cached": "w", "unsettled": "w"})])
    assert [cell.strip() for cell in head.strip("|").split("|")][:4] == ["endpoint", "workload", "c", "t/s (total)"]
    assert set(rule) <= set("|:- ")
    assert len({len(line) for line in (head, rule, *lines)}) == 1
    assert [line.split("|")[3].strip() for line in lines] == ["1", "8"]
    assert "99.00 ± 0.50" in lines[0]
    assert "cached, unsettled" in lines[1]


def test_depth_matrix() -> None:
    rows = [
        replace(ROW, depth_tokens=depth, target_answer_tokens=tokens, decode_tok_s=figure(100.0 - depth / 512, None))
        for depth in (512, 0, 8192)
        for tokens in (400, 20)
    ]
    head, _, *lines = depth_matrix(rows[:-1])
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (head, *lines)]
    assert cells[0] == ["endpoint", "depth", "tg20 t/s", "tg400 t/s", "tg20 TTFT ms", "tg400 TTFT ms"]
    assert [line[1] for line in cells[1:]] == ["d0", "d512", "d8192"]
    assert cells[2][2:4] == ["99.00", "99.00"]
    assert cells[3][2:] == ["-", "84.00", "-", "251.70 ± 2.00"]


def test_what_is_not_known_is_a_dash_not_nought() -> None:
    assert deviation(None) == "-"
    assert deviation(figure(0.0)) == "0.00 ± 0.50"
    assert deviation(figure(0.1, None), scale=1000) == "100.00"


def test_nothing_breaks_a_table() -> None:
    assert markdown(["a|b", "c"], [["x\ny", ""]]) == [
        r"| a\|b |   c |",
        "| :--- | --: |",
        "| x y  |     |",
    ]
    assert len(bench_table([])) == len(sweep_table([])) == len(depth_matrix([])) == 2


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_export_is_read_by_others(delimiter: str) -> None:
    awkward = replace(ROW, endpoint='a, "b"\tc', marks={"cached": "why", "unsettled": "why"}, concurrency=None)
    text = delimited([ROW, awkward], delimiter)
    assert text.splitlines()[0] == delimiter.join(HEADS)
    lines = list(csv.DictReader(io.StringIO(text), delimiter=delimiter))
    assert len(lines) == 2 * len(FIGURES)
    by_figure = {line["figure"]: line for line in lines if line["endpoint"] == "qwen"}
    assert set(by_figure) == set(FIGURES)
    found = by_figure["decode_tok_s"]
    assert (found["known_rounds"], found["mean"], found["stdev"], found["low"]) == ("3", "101.337", "0.5", "99.337")
    assert (found["concurrency"], found["depth_tokens"], found["marks"], found["unknown"]) == ("1", "4096", "", "")
    assert by_figure["prefill_tok_s"]["mean"] == ""
    assert by_figure["prefill_tok_s"]["unknown"].startswith("1 different")
    assert {line["endpoint"] for line in lines} == {"qwen", 'a, "b"\tc'}
    assert lines[-1]["concurrency"] == ""
    assert lines[-1]["marks"] == "cached unsettled"
