"""What a pytest user expects: ids, -k, -m, --lf, samples, workers."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import RIGHT, WRONG, Demo


def collected(demo: Demo, *args: str) -> list[str]:
    result = demo.run("--collect-only", "-q", *args)
    return [line for line in result.outlines if "::" in line]


def test_ids_are_stable_when_samples_are_added(demo: Demo) -> None:
    spec = demo.answers(new=RIGHT)["new"]
    one = collected(demo, spec, "-k", "pays")
    three = collected(demo, spec, "-k", "pays", "--llm-samples=3")
    assert one == ["suites/demo/test_demo.py::test_pays[new]"]
    assert three == [*one, *(f"suites/demo/test_demo.py::test_pays[new-s{n}]" for n in (2, 3))]


@pytest.mark.parametrize(
    ("expression", "count"), [("demo", 2), ("easy", 2), ("money", 1), ("demo and not money", 1), ("hard", 0)]
)
def test_markers_come_from_the_suite_and_its_checks(demo: Demo, expression: str, count: int) -> None:
    assert len(collected(demo, "-m", expression)) == count


def test_endpoints_are_selected_by_keyword(demo: Demo) -> None:
    demo.run(*demo.answers(new=WRONG, old=RIGHT).values(), "-k", "old").assert_outcomes(passed=2, deselected=2)


def test_last_failed_runs_what_failed(demo: Demo) -> None:
    specs = demo.answers(new=WRONG, old=RIGHT)
    demo.run(*specs.values())
    demo.run(*specs.values(), "--lf").assert_outcomes(failed=1)


def test_options_may_stand_in_the_ini_file(demo: Demo) -> None:
    folder = demo.answers(new=WRONG)["new"].partition("replay:")[2]
    demo.pytester.makeini(f"[pytest]\nllm_endpoint =\n    ini=replay:{folder}\nllm_samples = 2\n")
    assert len(collected(demo)) == 4
    demo.run("-k", "pays").assert_outcomes(passed=2, deselected=2)


@pytest.mark.parametrize("folder", ["letters", "~/letters"])
def test_prompts_are_exported_byte_for_byte_and_nothing_runs(
    demo: Demo, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(demo.pytester.path))
    result = demo.run(f"--llm-export-prompts={folder}", "-n2")
    assert result.ret == pytest.ExitCode.OK
    text = (demo.pytester.path / "letters" / "demo.md").read_bytes().decode()
    assert text == demo.prompt
    assert not demo.out.exists()


def test_collecting_asks_nobody_and_writes_nothing(demo: Demo) -> None:
    collected(demo)
    assert not demo.out.exists()


@pytest.mark.parametrize("workers", ["-n0", "-n2", "-n3"])
def test_ids_outcomes_and_completions_do_not_depend_on_workers(demo: Demo, workers: str) -> None:
    demo.run(*demo.answers(new=WRONG, old=RIGHT).values(), "--llm-samples=2", "-v", workers)
    rows = demo.report()["checks"]
    assert sorted((row["nodeid"].partition("::")[2], row["outcome"]) for row in rows) == sorted(
        (f"test_{check}[{name}{sample}]", outcome)
        for check, name, outcome in (
            ("pays", "new", "passed"),
            ("exact", "new", "wrong"),
            ("pays", "old", "passed"),
            ("exact", "old", "passed"),
        )
        for sample in ("", "-s2")
    )
    assert len(demo.report()["completions"]) == 4
    # The checks of one answer share what the scenario saw, so it ran once for each answer.
    assert len((demo.pytester.path / "calls.txt").read_text().splitlines()) == 4


def test_the_judges_draw_the_same_for_the_same_seed(demo: Demo) -> None:
    draws = []
    for seed in (1, 1, 2):
        demo.run(f"--llm-seed={seed}")
        draws.append((demo.pytester.path / "calls.txt").read_text().split()[-1])
        assert demo.report()["run"]["seed"] == seed
    assert draws[0] == draws[1] != draws[2]


def test_a_suite_elsewhere_needs_no_edit_here(pytester: pytest.Pytester, demo: Demo) -> None:
    demo.folder.parent.rename(pytester.path / "mine")
    result = pytester.runpytest_subprocess("mine", "--llm-out=out", "-m", "demo", "--strict-markers")
    result.assert_outcomes(passed=2)


def test_the_folder_of_the_run_may_hold_other_things(demo: Demo) -> None:
    demo.out.mkdir()
    (demo.out / "notes.txt").write_text("mine")
    for _ in range(2):
        demo.run().assert_outcomes(passed=2)
    assert (demo.out / "notes.txt").read_text() == "mine"


def test_answers_that_an_earlier_run_left_are_not_taken_for_this_ones(demo: Demo) -> None:
    spec = demo.answers(new=RIGHT)["new"]
    demo.run(spec)
    (demo.out / "journal.jsonl").unlink()
    (demo.pytester.path / "recorded" / "new" / "demo.md").write_text(WRONG)
    demo.run(spec).assert_outcomes(passed=1, failed=1)


def test_a_run_without_checks_leaves_the_last_report_alone(demo: Demo) -> None:
    demo.run()
    before = demo.report()
    demo.pytester.makepyfile(test_other="def test_other(): pass")
    demo.pytester.runpytest_subprocess("test_other.py", "--llm-out=out").assert_outcomes(passed=1)
    demo.run("-k", "no_such_check")
    assert demo.report() == before


def test_checks_run_without_xdist(demo: Demo) -> None:
    demo.run("-p", "no:xdist").assert_outcomes(passed=2)


def test_every_worker_may_run_every_check_and_each_counts_once(demo: Demo) -> None:
    demo.run("-n2", "--dist=each").assert_outcomes(passed=4)
    (score,) = [row for row in demo.report()["scores"] if row["suite"] is None]
    assert score["scored"] == 2


def test_a_skipped_check_asks_for_no_answer(demo: Demo) -> None:
    with (demo.folder / "test_demo.py").open("a") as file:
        file.write("\npytestmark = pytest.mark.skip(reason='today')\n")
    demo.run().assert_outcomes(skipped=2)
    assert demo.report()["completions"] == []


def test_an_earlier_run_of_the_same_name_is_kept(demo: Demo) -> None:
    for seed in (1, 2, 3):
        demo.run(f"--llm-seed={seed}")
    runs = [json.loads(path.read_text())["run"]["seed"] for path in demo.pytester.path.glob("out*/report.json")]
    assert sorted(runs) == [1, 2, 3]
    assert demo.report()["run"]["seed"] == 3
