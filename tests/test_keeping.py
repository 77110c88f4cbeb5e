from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.keeping import (
    MAX_CANDIDATE_BYTES,
    MAX_SEEN_CHARS,
    keep_candidate,
    keep_seen,
    keep_suite,
    refuse_changed,
    refuse_other_letters,
    suite_row,
)
from pytest_llmbench.model.completion import CaseKey
from pytest_llmbench.runfolder import RunFolder
from pytest_llmbench.suite import load_suite

KEY = CaseKey("new", "demo", 1)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "suites" / "demo"
    (place / "program").mkdir(parents=True)
    (place / "suite.yaml").write_text("title: Payouts\ndifficulty: easy\n")
    (place / "prompt.md").write_text("Payouts are off.\n\n{{program}}\n")
    (place / "program" / "pay.py").write_text("x = 0.1\n")
    (place / "judge.py").write_text("# strict\n")
    return place


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def test_what_was_asked_is_kept_byte_for_byte(place: Path, run: RunFolder) -> None:
    suite = load_suite(place)
    keep_suite(run, suite)
    assert (run.path / "suites/demo/prompt.md").read_bytes() == suite.prompt.encode()
    assert (run.path / "suites/demo/program/pay.py").read_text() == "x = 0.1\n"
    assert run.suites() == (suite_row(suite),)
    refuse_changed(run.path, [place])


@pytest.mark.parametrize("name", ["suite.yaml", "prompt.md", "program/pay.py", "judge.py", "new.py"])
def test_all_that_asks_or_judges_is_in_the_version(place: Path, run: RunFolder, name: str) -> None:
    before = suite_row(load_suite(place))
    keep_suite(run, load_suite(place))
    with (place / name).open("a") as file:
        file.write("# more\n")
    after = suite_row(load_suite(place))
    assert after.version != before.version
    assert (after.prompt_sha256 != before.prompt_sha256) == (name in {"prompt.md", "program/pay.py"})
    with pytest.raises(UsageFault, match=r"the suite demo (asks something else|judges in another way) than when"):
        refuse_changed(run.path, [place])


def test_what_python_leaves_beside_a_judge_is_not_in_the_version(place: Path) -> None:
    before = suite_row(load_suite(place))
    (place / "__pycache__").mkdir()
    (place / "__pycache__" / "judge.pyc").write_bytes(b"0")
    assert suite_row(load_suite(place)) == before


def test_answers_to_other_letters_are_not_judged_by_these(place: Path, run: RunFolder) -> None:
    replays = [str(run.path / "completions" / name) for name in ("new", "old")]
    refuse_other_letters(replays, [place])  # nothing is known of them
    keep_suite(run, load_suite(place))
    (place / "judge.py").write_text("# stricter\n")
    refuse_other_letters(replays, [place])
    (place / "prompt.md").write_text("Payouts are late.\n")
    with pytest.raises(
        UsageFault, match=rf"replay:{run.path}: the suite demo asks something else .*-different=prompts"
    ):
        refuse_other_letters(replays, [place])
    refuse_other_letters([str(run.path)], [place])  # a folder of SUITE.md files


def test_no_file_of_an_answer_that_was_lost_is_kept_beside_the_next(run: RunFolder) -> None:
    keep_candidate(run, KEY, {"pay.py": "x = 1\n", "more.py": "y = 1\n"})
    keep_candidate(run, KEY, {"pay.py": "x = 2\n"})
    assert [path.name for path in (run.path / "candidates/new/demo-s1").iterdir()] == ["pay.py"]


@pytest.mark.parametrize("path", ["../up.py", "/absolute.py", "a/../../up.py", ".git/hooks/x", "a\0b", "", "~/x"])
def test_no_file_is_written_under_a_hostile_name(run: RunFolder, path: str) -> None:
    keep_candidate(run, KEY, {path: "hostile", "pay.py": "x = 1\n"})
    files = [found for found in run.path.parent.rglob("*") if found.is_file()]
    assert files == [run.path / "candidates/new/demo-s1/pay.py"]


def test_files_that_cannot_be_written_cost_no_others(run: RunFolder) -> None:
    keep_candidate(run, KEY, {"a": "file", "a/b": "below a file", "pay.py": "\ud800"})
    kept = run.path / "candidates/new/demo-s1"
    assert sorted(path.name for path in kept.iterdir()) == ["a", "pay.py"]
    assert (kept / "pay.py").read_bytes() == b"?"


def test_what_is_too_much_is_left_out(run: RunFolder) -> None:
    keep_candidate(run, KEY, {"big.py": "x" * MAX_CANDIDATE_BYTES, "more.py": "x"})
    assert [path.name for path in (run.path / "candidates/new/demo-s1").iterdir()] == ["big.py"]


def seen(run: RunFolder) -> str:
    return (run.path / "logs/new/demo-s1/look.seen.txt").read_text()


@pytest.mark.parametrize("value", [{"b": 1, "a": [2]}, None, "text", ("x" * 90, "y" * 90)])
def test_what_a_judge_saw_can_be_read_back(run: RunFolder, value: Any) -> None:
    keep_seen(run, KEY, "look", value)
    assert eval(seen(run)) == value  # noqa: S307 - our own text


def test_a_huge_observation_is_cut(run: RunFolder) -> None:
    keep_seen(run, KEY, "look", list(range(10**6)))
    assert len(seen(run)) == MAX_SEEN_CHARS + 2


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_an_observation_that_cannot_be_shown_breaks_nothing(run: RunFolder) -> None:
    keep_seen(run, KEY, "look", Rude())
    assert not run.path.exists()


def test_a_full_disk_breaks_nothing(tmp_path: Path, place: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = RunFolder(tmp_path / "file" / "run")
    keep_suite(nowhere, load_suite(place))
    keep_candidate(nowhere, KEY, {"pay.py": "x"})
    keep_seen(nowhere, KEY, "look", 1)
