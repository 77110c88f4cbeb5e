"""Runs that start their servers themselves, gone on with."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Demo
from tests.plugin.test_provision import Diary


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_only_servers_that_are_still_wanted_are_started_again(demo: Demo, workers: str) -> None:
    diary = Diary(demo)
    demo.run(diary.served("a"), diary.served("b"), "--llm-samples=2").assert_outcomes(passed=8)
    first = demo.report()
    (demo.out / "report.json").unlink()
    (demo.out / "completions/b/demo-s2.json").unlink()
    demo.run("--llm-resume=out", workers).assert_outcomes(passed=8)
    assert diary.events() == [(name, event) for name in "abb" for event in ("up", "down")]
    again = demo.report()
    for before, after in zip(first["endpoints"], again["endpoints"], strict=True):
        assert (after["model"], after["fingerprint"]) == (before["model"], before["fingerprint"])
        assert (demo.out / after["server"]["log"]).exists()
    assert again["endpoints"][0]["server"]["load_s"] == first["endpoints"][0]["server"]["load_s"]
    assert len(list((demo.out / "servers").glob("b-1*.log"))) == 2
    assert diary.is_gone()
