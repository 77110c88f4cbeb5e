"""Runs that were cut off and are gone on with, and runs that are judged again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.client.scripted_server import Reply, Request, ScriptedServer, cut, refusal, streamed
from tests.plugin.conftest import RIGHT, WRONG, Demo
from tests.plugin.killed_runs import kill_runs

KEPT = ("checks", "scores", "suites", "check_scores", "difficulty_scores", "endpoints")


def by_seed(request: Request) -> Reply:
    """Answer rightly or wrongly, by what the server's sampler is to draw from."""
    return streamed(RIGHT if request.body["seed"] % 2 else WRONG)


def seeds(server: ScriptedServer) -> list[int]:
    return [request.body["seed"] for request in server.requests]


def outline(report: dict[str, Any]) -> dict[str, Any]:
    """What of a report is the same however often the run was cut off."""
    kept = {name: report.get(name) for name in KEPT}
    kept["checks"] = [{**row, "duration_s": None} for row in report["checks"]]
    kept["run"] = (report["run"]["id"], report["run"]["seed"], report["run"]["started_at"])
    return kept


@pytest.mark.parametrize("workers", [0, 2])
def test_killed_runs_lose_nothing_and_ask_nothing_twice(tmp_path: Path, workers: int) -> None:
    assert len(kill_runs(tmp_path, kills=3, workers=workers, seed=workers)) == 3


def test_only_what_is_missing_is_asked_for_and_judged(demo: Demo) -> None:
    with ScriptedServer(by_seed) as server:
        whole = demo.run(f"--llm-endpoint=new={server.url}", "--llm-samples=4", "--junitxml=out.xml")
        before = outline(demo.report())
        asked = seeds(server)
        calls = (demo.pytester.path / "calls.txt").read_text().splitlines()
        (demo.out / "report.json").unlink()
        lost = demo.out / "completions/new/demo-s3.json"
        seed = json.loads(lost.read_text())["request"]["seed"]
        lost.unlink()
        again = demo.run("--llm-resume=out", "--junitxml=again.xml")
        assert seeds(server)[len(asked) :] == [seed]
    assert (again.ret, again.parseoutcomes()) == (whole.ret, whole.parseoutcomes())
    assert outline(demo.report()) == before
    assert len((demo.pytester.path / "calls.txt").read_text().splitlines()) == len(calls) + 1
    again.stdout.fnmatch_lines(
        [
            "llmbench: going on with run *: 3 answers there",
            "llmbench: endpoint new: http://*",
            "llmbench: asking for 1 of 4 answers",
            "new: answers: 3 asked for in session 1, 1 asked for in session 2",
        ]
    )
    first, second = ((demo.pytester.path / name).read_text() for name in ("out.xml", "again.xml"))
    assert second.count("<property name=") == first.count("<property name=")


def test_what_failed_is_asked_for_again_and_once(demo: Demo) -> None:
    script = [streamed(RIGHT), refusal(500), cut(streamed(RIGHT), 3), streamed(WRONG)]
    with ScriptedServer(script) as server:
        demo.run(f"--llm-endpoint=new={server.url}", "--llm-samples=3", "--llm-concurrency=1").assert_outcomes(
            passed=2, errors=4
        )
        for workers in ("-n2", "-n0"):
            result = demo.run("--llm-resume=out", workers)
            result.assert_outcomes(passed=4, failed=2)
            assert len(server.requests) == 5
    result.stdout.fnmatch_lines(
        ["llmbench: going on with run *: 3 answers there", "*nothing is missing; no endpoint is asked"]
    )
    assert {row["error"] for row in demo.report()["completions"]} == {None}
    record = json.loads((demo.out / "run.json").read_text())
    assert [(one["number"], one["kept"], one["failed"]) for one in record["sessions"]] == [
        (1, 0, 0),
        (2, 1, 2),
        (3, 3, 0),
    ]


def test_checks_that_were_not_selected_again_stay_in_the_report_and_other_suites_are_refused(demo: Demo) -> None:
    demo.run("--llm-samples=2").assert_outcomes(passed=4)
    demo.run("--llm-resume=out", "-k", "exact").assert_outcomes(passed=2, deselected=2)
    assert len(demo.report()["checks"]) == 4
    demo.write("judge.py", "# stricter\n")
    result = demo.run("--llm-resume=out")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: the suite demo judges in another way than when this run began; begin a new run*"]
    )


def test_all_that_does_not_agree_is_told_before_anything_is_asked(demo: Demo) -> None:
    with ScriptedServer(streamed(RIGHT)) as server:
        demo.run(f"--llm-endpoint=new={server.url}", "--llm-samples=2")
        asked = len(server.requests)
        other = ("--llm-samples=3", "--llm-temperature=0.5", f"--llm-endpoint=new={server.url}#big")
        result = demo.run("--llm-resume=out", *other)
        assert len(server.requests) == asked
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: --llm-resume=*/out: not as when the run began: --llm-samples: 2 -> 3; --llm-temperature: 0.0 -> 0.5; *",
        ]
    )


def test_what_changes_no_answer_may_differ(demo: Demo) -> None:
    with ScriptedServer(streamed(RIGHT)) as first, ScriptedServer(streamed(RIGHT)) as second:
        demo.run(f"--llm-endpoint=new={first.url}", "--llm-temperature=0.5", "--llm-report=json:copy.json")
        (demo.out / "completions/new/demo-s1.json").unlink()
        (demo.pytester.path / "copy.json").unlink()
        result = demo.run(
            "--llm-resume=out", f"--llm-endpoint=new={second.url}", "-n2", "--llm-timeout=9", "--llm-concurrency=1"
        )
    result.assert_outcomes(passed=2)
    assert len(second.requests) == 1
    assert second.requests[0].body["temperature"] == 0.5
    assert (demo.pytester.path / "copy.json").read_text() == (demo.out / "report.json").read_text()


def test_the_ini_file_is_for_new_runs_and_the_bars_of_this_session(demo: Demo) -> None:
    demo.run(*demo.answers(new=WRONG, old=RIGHT).values()).assert_outcomes(passed=3, failed=1)
    demo.pytester.makeini(
        "[pytest]\nllm_samples = 3\nllm_endpoint = replay:nowhere\nllm_out = runs\nllm_min_coverage = 50"
    )
    result = demo.run("--llm-resume=out", "--llm-baseline=old", "--llm-fail-under=100")
    result.assert_outcomes(passed=3, failed=1)
    assert demo.report()["gate"]["verdict"] == "not_met"
    settings = json.loads((demo.out / "run.json").read_text())["settings"]
    assert [settings[name] for name in ("baseline_endpoint", "fail_under", "min_coverage", "samples")] == [
        "old", 100.0, 50.0, 1,
    ]  # fmt: skip


def test_a_run_that_is_judged_again_finds_the_same(demo: Demo) -> None:
    with ScriptedServer(by_seed) as server:
        demo.run(f"--llm-endpoint=new={server.url}", f"--llm-endpoint=old={server.url}", "--llm-samples=3")
    first = demo.report()
    demo.out.rename(demo.pytester.path / "first")
    result = demo.run("--llm-endpoint=replay:first#new", "--llm-endpoint=replay:first#old")
    again = demo.report()
    assert [(row["nodeid"], row["outcome"]) for row in again["checks"]] == [
        (row["nodeid"], row["outcome"]) for row in first["checks"]
    ]
    assert again["run"]["seed"] == first["run"]["seed"]
    assert [(row["answer_sha256"], row["seed"]) for row in again["completions"]] == [
        (row["answer_sha256"], row["seed"]) for row in first["completions"]
    ]
    assert [(row["model"], row["sampling"], row["server"]) for row in again["endpoints"]] == [
        (row["model"], row["sampling"], row["server"]) for row in first["endpoints"]
    ]
    result.stdout.fnmatch_lines(
        [
            "llmbench: endpoint new: */first/completions/new: 3 answers recorded, no server is asked (scripted)",
            "new: 3 answers replayed from */first/completions/new",
        ]
    )
    demo.write("prompt.md", "Payouts are late.\n")
    given = ["--llm-endpoint=replay:first#new", "--llm-samples=1", "--llm-seed=1"]
    result = demo.run(*given)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --llm-endpoint=replay:*/first: the suite demo asks something else than when *"]
    )
    demo.run(*given, "--llm-allow-different=prompts")
    assert (len(demo.report()["checks"]), demo.report()["run"]["seed"]) == (2, 1)


def test_each_sample_has_a_seed_of_its_own(demo: Demo) -> None:
    with ScriptedServer(streamed(RIGHT)) as server:
        specs = [f"--llm-endpoint={name}={server.url}" for name in ("new", "old")]
        demo.run(*specs, "--llm-samples=3", "--llm-seed=5", "-n2")
    drawn = {row["sample"]: row["seed"] for row in demo.report()["completions"]}
    assert len(set(drawn.values())) == 3
    assert [row["seed"] for row in demo.report()["completions"]] == list(drawn.values()) * 2
    assert sorted(seeds(server)) == sorted([*drawn.values()] * 2)


def test_a_seed_of_the_users_own_wins(demo: Demo) -> None:
    with ScriptedServer(streamed(RIGHT)) as server:
        (demo.pytester.path / "models.yaml").write_text(
            f"endpoints:\n  a: {{url: '{server.url}', sampling: {{seed: 7}}}}\n"
            f"  b: {{url: '{server.url}', extra_body: {{seed: 9}}}}\n"
        )
        demo.run("--llm-endpoint=a", "--llm-endpoint=b", "--llm-samples=2")
    assert sorted(seeds(server)) == [7, 8, 9, 9]


def test_a_server_that_takes_no_seed_is_asked_without(demo: Demo) -> None:
    def script(request: Request) -> Reply:
        if "seed" in request.body:
            return refusal(422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "input": 1}]})
        return streamed(RIGHT)

    with ScriptedServer(script) as server:
        demo.run(f"--llm-endpoint=new={server.url}", "--llm-samples=2", "--llm-concurrency=1").assert_outcomes(passed=4)
    assert ["seed" in request.body for request in server.requests] == [True, False, False]
    assert [row["seed"] for row in demo.report()["completions"]] == [None, None]
