"""Do `khs` and `stats` say what the miner says?"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from suites.hiveos.figures import Figures, Gpu, draw_figures, find_mismatch, is_zero, read_json

FIGURES = Figures(
    version="0.20.3",
    pool="eu.pool.example:4444",
    runtime_s=3204,
    accepted=1042,
    rejected=7,
    gpus=(Gpu(30_511_320, 61, 72, 10), Gpu(30_706_808, 58, 70, 33)),
)
RIGHT: dict[str, Any] = {
    "hs": [30511, 30707],
    "hs_units": "khs",
    "temp": [61, 58],
    "fan": [72, 70],
    "uptime": 3180,
    "ar": [1042, 7],
}
DEEP = "[" * 100_000


def mismatch(khs: str | None = "61218", **changes: Any) -> str | None:
    stats = {name: value for name, value in (RIGHT | changes).items() if value is not ...}
    return find_mismatch(FIGURES, khs, json.dumps(stats))


def test_both_answers_of_the_api_are_those_of_the_letter() -> None:
    brief = FIGURES.results["miner_getstat1"]
    assert brief[:4] == ["0.20.3", "53", "61218;1042;7", "30511;30706"]
    assert brief[6] == "61;72;58;70"
    detailed = FIGURES.results["miner_getstatdetail"]
    assert detailed["devices"][0]["mining"]["hashrate"] == "0x1d190d8"
    assert detailed["devices"][0]["hardware"]["pci"] == "0a:00.0"
    assert detailed["mining"]["hashrate"] == "0x3a61d50"
    assert detailed["host"]["runtime"] == 3204


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hs_units": ...},
        {"hs": [30.51, 30.71], "hs_units": "mhs"},
        {"hs": [30511320, 30706808], "hs_units": "hs"},
        {
            "hs": ["30511.3", "30706.8"],
            "temp": ["61", "58"],
            "fan": ["72", "70"],
            "uptime": "3204",
            "ar": ["1042", "7"],
        },
        {"bus_numbers": [10, 33], "ver": "0.20.3", "algo": "ethash"},
        {"bus_numbers": []},
        {"ar": [1042, 7, 0]},
        {"uptime": 3204.9},
    ],
    ids=str,
)
def test_right_figures_in_any_unit_and_type_pass(changes: dict[str, Any]) -> None:
    assert mismatch(**changes) is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"hs": [30.51, 30.71]}, "hs was"),
        ({"hs": [30511]}, "hs was"),
        ({"hs": [30511, None]}, "hs was"),
        ({"hs": [True, 30707]}, "hs was"),
        ({"hs": {"0": 30511}}, "hs was"),
        ({"hs_units": "kh"}, "hs_units was"),
        ({"hs_units": ["khs"]}, "hs_units was"),
        ({"temp": [72, 70]}, "temp was"),
        ({"fan": ...}, "fan was"),
        ({"uptime": 53}, "uptime was"),
        ({"uptime": 10**400}, "uptime was"),
        ({"uptime": "1_000"}, "uptime was"),
        ({"ar": [7, 1042]}, "ar was"),
        ({"ar": [1042]}, "ar was"),
        ({"bus_numbers": [0, 1]}, "bus_numbers was"),
    ],
    ids=str,
)
def test_wrong_figures_are_named(changes: dict[str, Any], told: str) -> None:
    found = mismatch(**changes)
    assert found is not None
    assert found.startswith(told)


@pytest.mark.parametrize(
    "khs", [None, "", "0", "61.2", "61218128", "nan", "inf", "1e999", "0xef22", "٦١٢١٨", "9" * 5000]
)
def test_a_wrong_total_is_told(khs: str | None) -> None:
    assert "khs" in str(mismatch(khs))


@pytest.mark.parametrize("khs", ["61218", " 61218.128\n", "61300", "6.1218e4"])
def test_a_total_may_be_written_in_any_way(khs: str) -> None:
    assert mismatch(khs) is None


@pytest.mark.parametrize("stats", ["", "null", "[]", "{", DEEP, '{"hs": NaN}', "9" * 5000, "\x00"])
def test_stats_that_are_no_object_are_no_figures(stats: str) -> None:
    assert "stats was no JSON object" in str(find_mismatch(FIGURES, "61218", stats))


def test_a_variable_that_was_not_set_is_named() -> None:
    assert find_mismatch(FIGURES, "61218", None) == "the variable stats was not set"
    assert find_mismatch(FIGURES, None, "{}") == "the variable khs was not set"


@pytest.mark.parametrize(
    ("khs", "zero"), [("0", True), ("0.00", True), ("", False), (None, False), ("zero", False), ("1", False)]
)
def test_zero(khs: str | None, *, zero: bool) -> None:
    assert is_zero(khs) is zero


@pytest.mark.parametrize("text", ["", "nil", "{'a': 1}", "NaN", DEEP])
def test_what_is_no_json(text: str) -> None:
    assert read_json(text) is ...


def test_minutes_never_pass_for_seconds_nor_fans_for_temperatures() -> None:
    for seed in range(300):
        figures = draw_figures(random.Random(seed), 1 + seed % 8)  # noqa: S311 - repeatable
        assert figures.runtime_s - figures.runtime_s // 60 > 90
        assert {gpu.fan_percent for gpu in figures.gpus}.isdisjoint(gpu.temperature_c for gpu in figures.gpus)
