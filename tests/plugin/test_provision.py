"""Whole runs that start their servers themselves, in one process and in several."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import psutil
import pytest

from tests.nested import WITHOUT_OURS
from tests.plugin.conftest import RIGHT, Demo
from tests.provision import diary_server

PATIENCE_S = 120.0


class Diary:
    """What servers did, by their own word."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.path = demo.pytester.path / "diary"
        self.answer = demo.pytester.path / "answer.md"
        self.answer.write_text(RIGHT)

    def words(self, name: str, *more: str) -> str:
        program = (sys.executable, diary_server.__file__, "{port}", name, str(self.path), "--answer", str(self.answer))
        return shlex.join((*program, *more))

    def served(self, name: str, *more: str) -> str:
        return f"--llm-endpoint={name}=command:{self.words(name, *more)}"

    def events(self, *, but: str = "asked") -> list[tuple[str, str]]:
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [(name, event) for _, name, event in map(str.split, lines) if event != but]

    def running(self) -> list[psutil.Process]:
        """All that was started with this diary and still runs."""
        every = psutil.process_iter(["cmdline"])
        return [process for process in every if str(self.path) in (process.info["cmdline"] or ())]

    def is_gone(self) -> bool:
        return not self.running()


@pytest.fixture
def diary(demo: Demo) -> Diary:
    return Diary(demo)


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_server_is_started_once_asked_and_stopped(demo: Demo, diary: Diary, workers: str) -> None:
    result = demo.run(diary.served("mine"), "--llm-samples=3", workers)
    result.assert_outcomes(passed=6)
    assert diary.events() == [("mine", "up"), ("mine", "down")]
    result.stdout.fnmatch_lines(["*llmbench: mine: starting command*", "*llmbench: mine: ready after *"])
    (row,) = demo.report()["endpoints"]
    assert (row["name"], row["model"], row["server"]["kind"]) == ("mine", "mine", "command")
    assert row["url"].startswith("http://127.0.0.1:")
    assert row["server"]["load_s"] > 0
    assert (demo.out / row["server"]["log"]).exists()
    assert diary.is_gone()


def test_servers_that_share_a_resource_never_run_together(demo: Demo, diary: Diary) -> None:
    names = ("a", "b", "c")
    demo.run(*map(diary.served, names), "--llm-samples=3", "-n3").assert_outcomes(passed=18)
    assert diary.events() == [(name, event) for name in names for event in ("up", "down")]


def test_servers_with_resources_of_their_own_run_together(demo: Demo, diary: Diary) -> None:
    entries = "".join(
        f"  {name}:\n    serve: {{kind: command, resource: {resource}, args: {json.dumps(diary.words(name))}}}\n"
        for name, resource in (("a", "gpu0"), ("b", "gpu1"))
    )
    (demo.pytester.path / "models.yaml").write_text(f"endpoints:\n{entries}")
    demo.run("--llm-endpoint=a", "--llm-endpoint=b", "-n2").assert_outcomes(passed=4)
    assert sorted(diary.events()[:2]) == [("a", "up"), ("b", "up")]
    assert sorted(diary.events()[2:]) == [("a", "down"), ("b", "down")]


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_one_that_does_not_start_is_an_error_and_leaves_the_others_alone(
    demo: Demo, diary: Diary, workers: str
) -> None:
    result = demo.run(diary.served("bad", "--no-such-flag"), diary.served("good"), workers)
    result.assert_outcomes(passed=2, errors=2)
    assert set(demo.outcomes().values()) == {"passed", "infra_error"}
    result.stdout.fnmatch_lines(["*infra_error: bad: died while loading (exit status 2)*"])
    failure = demo.report()["endpoints"][0]["server"]["failure"]
    assert (failure["phase"], failure["cause"], failure["ended"]) == ("died while loading", "bad flag", "exit status 2")


@pytest.mark.parametrize(("workers", "words"), [("-n0", ()), ("-n2", ()), ("-n0", ("--leaves",))])
def test_one_that_dies_under_an_answer_is_an_error_that_says_why(
    demo: Demo, diary: Diary, workers: str, words: Sequence[str]
) -> None:
    result = demo.run(diary.served("mine", "--dies-at=2", *words), workers)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*infra_error: *died while serving (exit status 1), NCCL: *unhandled system error*"])


def test_one_that_dies_is_started_again_where_that_was_asked(demo: Demo, diary: Diary) -> None:
    words = json.dumps(diary.words("mine", "--dies-at=2"))
    (demo.pytester.path / "models.yaml").write_text(
        f"endpoints:\n  mine:\n    serve: {{kind: command, restarts: 1, args: {words}}}\n"
    )
    demo.run("--llm-endpoint=mine", "--llm-samples=2", "--llm-concurrency=1").assert_outcomes(errors=2, passed=2)
    assert diary.events() == [("mine", event) for event in ("up", "died", "up", "down")]


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_speed_tests_of_ones_own_keep_their_server_until_the_last(demo: Demo, diary: Diary, workers: str) -> None:
    demo.pytester.makepyfile(
        test_mine="""
        import time
        import pytest

        @pytest.mark.speed
        @pytest.mark.parametrize("number", [1, 2])
        def test_fast(measure, number):
            time.sleep(number - 1)  # as long as it would take to stop a server that nobody holds
            with measure._alone():
                pass
        """
    )
    args = ("test_mine.py", "--llm-out=out", *WITHOUT_OURS, workers)
    result = demo.pytester.runpytest_subprocess(*args, *map(diary.served, "ab"))
    result.assert_outcomes(passed=4)
    assert diary.events() == [(name, event) for name in "ab" for event in ("up", "down")]
    assert [row["name"] for row in demo.report()["endpoints"]] == ["a", "b"]


def test_a_key_on_a_server_s_command_line_is_in_no_report(demo: Demo, diary: Diary) -> None:
    result = demo.run(diary.served("mine", "--api-key", "sk-hunter2hunter2"), "--junitxml=out.xml")
    result.assert_outcomes(errors=2)
    told = [
        path for path in demo.pytester.path.rglob("*") if path.is_file() and path.suffix in {".json", ".jsonl", ".xml"}
    ]
    assert len(told) >= 4
    assert not [path for path in told if "hunter2" in path.read_text()]
    assert "hunter2" not in result.stdout.str().partition("test session starts")[2]


def test_two_runs_say_what_differs_between_their_servers(demo: Demo, diary: Diary) -> None:
    demo.run(diary.served("mine")).assert_outcomes(passed=2)
    (demo.out / "report.json").rename(demo.pytester.path / "before.json")
    same = demo.run(diary.served("mine"), "--llm-baseline=before.json")
    same.stdout.no_fnmatch_line("*not as in the baseline*")
    other = demo.run(
        diary.served("mine", "--streams=0.01"),
        "--llm-baseline=before.json",
        "--llm-temperature=0.5",
        "--llm-allow-different=sampling",
    )
    other.stdout.fnmatch_lines(
        [
            "mine: not as in the baseline: sampling.temperature: 0.0 -> 0.5",
            "mine: not as in the baseline: server.command: --streams not set -> 0.01",
        ]
    )


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_conftest_may_add_a_kind(demo: Demo, diary: Diary, workers: str) -> None:
    demo.pytester.makeconftest(f"""
        from pytest_llmbench import Launch, ServerKind

        class Mine(ServerKind):
            name = "mine"
            health_path = "/v1/models"

            def launch(self, serve, port):
                return Launch(({sys.executable!r}, {diary_server.__file__!r}, str(port), serve.model, *serve.args))

        def pytest_llmbench_server_kinds():
            return [Mine()]
    """)
    (demo.pytester.path / "models.yaml").write_text(
        f"endpoints: {{it: {{serve: {{kind: mine, model: M, args: [{diary.path}, --answer, {diary.answer}]}}}}}}"
    )
    demo.run("--llm-endpoint=it", workers).assert_outcomes(passed=2)
    assert diary.events() == [("M", "up"), ("M", "down")]
    (row,) = demo.report()["endpoints"]
    assert (row["server"]["kind"], row["model"]) == ("mine", "M")
    result = demo.run("--llm-endpoint=its:M", workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *its*mine*"])


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("when", ["load", "stream", "grading"])
def test_nothing_is_left_of_a_run_that_was_cut_off(
    demo: Demo, diary: Diary, when: str, how: signal.Signals, workers: str
) -> None:
    slow = {"load": ["--loads=600"], "stream": ["--streams=600"], "grading": []}[when]
    if when == "grading":
        demo.write(
            "judge.py", "import time\ndef read(candidate):\n    open('grading', 'w').close()\n    time.sleep(600)\n"
        )
    reached: Callable[[], bool] = {
        "load": lambda: ("mine", "up") in diary.events(),
        "stream": lambda: diary.events(but="up").count(("mine", "asked")) >= 2,
        "grading": (demo.pytester.path / "grading").exists,
    }[when]
    argv = (sys.executable, "-m", "pytest", "suites", "--llm-out=out", *WITHOUT_OURS, workers)
    temporary = demo.pytester.path / "tmp"
    temporary.mkdir()
    run = subprocess.Popen(
        [*argv, diary.served("mine", *slow)],
        cwd=demo.pytester.path,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _until(reached, run)
        if how is signal.SIGINT:
            os.killpg(run.pid, how)  # as a terminal does it
        else:
            os.kill(run.pid, how)
        run.wait(PATIENCE_S)
        _until(diary.is_gone)
    finally:
        os.killpg(run.pid, signal.SIGKILL) if run.poll() is None else None
    if how is signal.SIGINT:
        assert not list(temporary.iterdir())


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
@pytest.mark.parametrize("phase", ["loading", "serving"])
def test_kill_9_of_the_keeper_leaves_nothing_and_is_told(demo: Demo, diary: Diary, phase: str, workers: str) -> None:
    words, asked = {"loading": ("--loads=600", 0), "serving": ("--streams=600", 2)}[phase]
    argv = (sys.executable, "-m", "pytest", "suites", "--llm-out=out", *WITHOUT_OURS, workers)
    run = subprocess.Popen(
        [*argv, diary.served("mine", words)], cwd=demo.pytester.path, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        _until(
            lambda: diary.events(but="asked") != [] and diary.events(but="up").count(("mine", "asked")) >= asked, run
        )
        (server,) = diary.running()
        keeper = server.parent()
        assert keeper is not None
        keeper.kill()
        said = run.communicate(timeout=PATIENCE_S)[0].decode()
    finally:
        os.killpg(run.pid, signal.SIGKILL) if run.poll() is None else None
    assert run.returncode == pytest.ExitCode.TESTS_FAILED
    assert f"infra_error: mine: died while {phase} (its keeper was killed), killed; " in said
    assert set(demo.outcomes().values()) == {"infra_error"}
    assert demo.report()["endpoints"][0]["server"]["failure"]["ended"] == "its keeper was killed"
    assert diary.is_gone()


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_second_ctrl_c_kills_what_takes_its_time_to_stop(demo: Demo, diary: Diary, workers: str) -> None:
    argv = (sys.executable, "-m", "pytest", "suites", "--llm-out=out", *WITHOUT_OURS, workers)
    run = subprocess.Popen(
        [*argv, diary.served("mine", "--streams=600", "--stops=600")],
        cwd=demo.pytester.path,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert run.stdout is not None
        _until(lambda: diary.events(but="up").count(("mine", "asked")) >= 2, run)
        os.killpg(run.pid, signal.SIGINT)
        lines = iter(run.stdout.readline, b"")
        assert any(b"mine: still stopping; Ctrl-C kills it" in line for line in lines)
        os.killpg(run.pid, signal.SIGINT)
        assert b"report.json" in run.communicate(timeout=PATIENCE_S)[0]
    finally:
        os.killpg(run.pid, signal.SIGKILL) if run.poll() is None else None
    assert run.returncode == pytest.ExitCode.INTERRUPTED
    assert ("mine", "told") in diary.events()
    assert ("mine", "down") not in diary.events()
    assert demo.report()["endpoints"][0]["server"]["kind"] == "command"
    assert diary.is_gone()


def test_nobody_reads_the_terminal_any_more(demo: Demo, diary: Diary) -> None:
    argv = (sys.executable, "-m", "pytest", "suites", "--llm-out=out", *WITHOUT_OURS)
    with subprocess.Popen(
        [*argv, diary.served("mine", "--loads=2")],
        cwd=demo.pytester.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as run:
        assert run.stdout is not None
        assert any(b"mine: starting command" in line for line in run.stdout)
        run.stdout.close()
        try:
            run.wait(PATIENCE_S)
        finally:
            run.kill()
    assert ("mine", "asked") in diary.events(but="up")
    _until(diary.is_gone)


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_module_that_cannot_be_collected_is_no_reason_to_start_no_server(
    demo: Demo, diary: Diary, workers: str
) -> None:
    demo.pytester.makepyfile(test_broken="import no_such_module")
    run = demo.run(diary.served("mine"), "test_broken.py", "--continue-on-collection-errors", workers)
    run.assert_outcomes(passed=2, errors=1)
    assert set(demo.outcomes().values()) == {"passed"}


def _until(condition: Callable[[], bool], run: subprocess.Popen[bytes] | None = None) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        assert run is None or run.poll() is None
        time.sleep(0.05)
