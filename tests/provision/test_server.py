"""From a start to the first answer, or to why there is none; whichever it is, nothing else is left."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.serving import Cause, Failure, Phase, Serve
from pytest_llmbench.provision import process, progress, waiting
from pytest_llmbench.provision.health import Seen
from pytest_llmbench.provision.ports import free_port
from pytest_llmbench.provision.server import Running
from pytest_llmbench.servers.kind import Launch
from tests.provision.bench import PATIENT_S, Bench, Clock, Moody
from tests.provision.moody_server import KEY, LOADS_S

SHORT_S = 4.0
"""As long as a server may take that will never be ready, by a clock of its own."""
EVERYWHERE = "0.0.0.0"  # noqa: S104

TimePasses = Callable[..., None]


@pytest.fixture
def time_passes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> TimePasses:
    """Let no time pass for a server until it has said a word and is seen so far; then all that it has, or in steps."""

    def time_passes(word: str, so_far: str = "", step_s: float = 2 * SHORT_S) -> None:
        seen = Seen()
        clock = Clock(step_s, lambda: word in bench.said and so_far in seen.said)
        monkeypatch.setattr(waiting, "Seen", lambda: seen)
        monkeypatch.setattr(waiting, "time", clock)

    return time_passes


# It comes up


@pytest.mark.parametrize(
    "mood",
    ["well", "loads", "loads in the first chat", "refuses while loading", "only thinks", "counts without text"],
)
def test_ready_is_a_server_that_has_answered(bench: Bench, mood: str) -> None:
    running = bench.runs(mood)
    assert running.process.ended is None
    assert running.model == "moody-1"  # the first that it lists
    assert running.url.startswith("http://127.0.0.1:")
    assert running.url.endswith("/v1")
    assert (running.info.kind, running.info.log) == ("moody", "servers/m-1.log")
    assert running.info.load_s is not None
    assert running.info.load_s > (LOADS_S if "load" in mood else 0)
    assert bench.told[0] == f"starting moody (pid {running.process.pid}), log: {bench.log}"
    assert bench.told[-1] == f"ready after {running.info.load_s:.1f} s at {running.url}"


def test_the_first_prompt_is_short_whatever_the_user_set_for_long_answers(bench: Bench) -> None:
    long = {"max_completion_tokens": 9000, "min_tokens": 100, "ignore_eos": True, "top_k": 1}
    bench.runs("well", endpoint={"extra_body": long, "model": "moody-2"})
    (body,) = bench.asked
    assert body["model"] == "moody-2"
    assert body["max_tokens"] < 100
    assert body["top_k"] == 1
    assert not body.keys() & {"max_completion_tokens", "min_tokens", "ignore_eos"}


def test_the_api_key_is_sent_and_in_no_log(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODY_KEY", KEY)
    running = bench.runs("wants a key", endpoint={"api_key_env": "MOODY_KEY"})
    assert KEY not in bench.said + repr(running.info) + repr(bench.told)


def test_no_proxy_stands_between_us_and_our_own_server(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    bench.runs("well")


def test_one_that_listens_everywhere_is_asked_here(bench: Bench) -> None:
    assert bench.runs("well", host=EVERYWHERE).url.startswith("http://127.0.0.1:")


def test_the_users_variables_win(bench: Bench) -> None:
    running = bench.runs("well", env={"MOODY": "yes", "HOME": "/nowhere"})
    variables = psutil.Process(running.process.pid).environ()
    assert (variables["MOODY"], variables["HOME"], variables["PATH"]) == ("yes", "/nowhere", os.environ["PATH"])


# It does not


def test_one_that_dies_while_loading_says_how(bench: Bench) -> None:
    failure = bench.fails("dies while loading")
    assert (failure.phase, failure.ended, failure.log) == (Phase.LOADING, "exit status 3", "servers/m-1.log")
    assert (failure.cause, failure.line) == (Cause.UNKNOWN, "its log ends: RuntimeError: the weights are no weights")
    assert failure.after_s is not None
    assert failure.after_s < PATIENT_S


@pytest.mark.parametrize("mood", ["dies in the first chat", "fails, then dies"])
def test_one_that_dies_of_its_first_prompt_died_while_loading(
    bench: Bench, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "DEATH_S", PATIENT_S)
    failure = bench.fails(mood)
    assert (failure.phase, failure.ended) == (Phase.LOADING, "exit status 3")


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_one_that_is_killed_while_loading_says_so(bench: Bench, signum: signal.Signals) -> None:
    bench.on_word = lambda line: os.kill(int(line.partition("pid ")[2].partition(")")[0]), signum)
    failure = bench.fails("never healthy")
    assert (failure.phase, failure.cause, failure.ended) == (Phase.LOADING, Cause.KILLED, signum.name)


def test_one_that_loses_its_keeper_while_loading_says_so(bench: Bench) -> None:
    def kill_keeper(line: str) -> None:
        keeper = psutil.Process(int(line.partition("pid ")[2].partition(")")[0])).parent()
        assert keeper is not None
        keeper.kill()

    bench.on_word = kill_keeper
    failure = bench.fails("never healthy")
    assert (failure.phase, failure.cause, failure.ended) == (Phase.LOADING, Cause.KILLED, "its keeper was killed")


@pytest.mark.parametrize(
    ("mood", "word", "said"), [("never healthy", "GET /health", "HTTP 503"), ("mute", "mute", "no answer")]
)
def test_one_that_is_never_healthy_runs_out_of_time(
    bench: Bench, time_passes: TimePasses, mood: str, word: str, said: str
) -> None:
    time_passes(word, said)
    failure = bench.fails(mood, ready_timeout_s=SHORT_S)
    assert (failure.phase, failure.cause, failure.ended) == (Phase.NOT_READY, Cause.TIMEOUT, None)
    assert f"/health: {said}" in str(failure.line)
    assert "ready_timeout" in failure.advice
    assert failure.after_s is not None
    assert failure.after_s >= SHORT_S


def test_one_that_never_listens_runs_out_of_time(bench: Bench, time_passes: TimePasses) -> None:
    time_passes("reading", "no connection")
    failure = bench.fails("-", program=("sh", "-c", "echo reading; exec sleep 600"), ready_timeout_s=SHORT_S)
    assert failure.phase is Phase.NOT_READY
    assert "/health: no connection" in str(failure.line)
    assert "its log ends: reading" in str(failure.line)


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("500", "CUDA error: misaligned address"),
        ("in-stream error", "engine is dead"),
        ("says nothing", "holds nothing"),
        ("breaks the connection", "connection broke"),
    ],
)
def test_one_that_is_healthy_but_does_not_answer_is_told_apart(
    bench: Bench, mood: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "DEATH_S", 0.2)
    failure = bench.fails(mood)
    assert (failure.phase, failure.ended) == (Phase.UNHEALTHY, None)
    assert said in str(failure.line)
    assert len(bench.asked) == 1  # and it is not asked again


def test_one_that_hangs_in_its_first_answer_is_told_apart(bench: Bench, time_passes: TimePasses) -> None:
    time_passes("hanging")
    failure = bench.fails("hangs", ready_timeout_s=SHORT_S)
    assert (failure.phase, failure.cause, failure.ended) == (Phase.UNHEALTHY, Cause.TIMEOUT, None)
    assert "/health is fine, but no answer to a first prompt" in str(failure.line)


def test_a_key_that_is_missing_is_said(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "DEATH_S", 0.2)
    failure = bench.fails("wants a key", kind=Listed())
    assert "HTTP 401" in str(failure.line)


class Listed(Moody):
    """As most: its list of models is its health."""

    health_path = "/v1/models"


def test_what_is_no_program_is_not_started(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "plain").touch(0o644)
    for program, cause in ((tmp_path / "nonesuch", Cause.PROGRAM_MISSING), (tmp_path / "plain", Cause.PERMISSION)):
        failure = bench.fails("well", program=(str(program),))
        assert (failure.phase, failure.cause, failure.log) == (Phase.START, cause, None)
        assert str(program) in str(failure.line)
    assert bench.told == []


def test_one_whose_keeper_dies_before_the_start_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_KEEPER", "import os; os.kill(os.getpid(), 9)")
    failure = bench.fails("well")
    assert (failure.phase, failure.cause) == (Phase.START, Cause.KILLED)
    assert str(failure.line).endswith(": its keeper was killed")


def test_what_the_kind_refuses_is_not_started(bench: Bench) -> None:
    class Refusing(Moody):
        def launch(self, serve: Serve, port: int) -> Launch:
            raise UsageFault(f"{serve.model}: not on port {port}")

    failure = bench.fails("well", kind=Refusing(), port=20_001)
    assert (failure.phase, failure.line) == (Phase.START, "well: not on port 20001")


# Its port


def test_a_port_that_is_taken_is_said_before_anything_starts(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        failure = bench.fails("well", port=port)
    assert (failure.phase, failure.cause) == (Phase.START, Cause.PORT_IN_USE)
    assert str(failure.line).startswith(f"127.0.0.1:{port} is in use by ")
    assert f"(pid {os.getpid()}: " in str(failure.line)
    assert not bench.log.exists()


def test_a_free_port_that_somebody_takes_meanwhile_is_given_up_for_another(bench: Bench) -> None:
    class Unlucky(Moody):
        def __init__(self) -> None:
            self.listeners: list[socket.socket] = []

        def launch(self, serve: Serve, port: int) -> Launch:
            if not self.listeners:
                self.listeners.append(socket.create_server((serve.host, port)))
            return super().launch(serve, port)

    kind = Unlucky()
    running = bench.runs("well", kind=kind)
    (listener,) = kind.listeners
    with listener:
        assert f":{listener.getsockname()[1]}/" not in running.url


def test_a_port_that_somebody_takes_meanwhile_is_the_users_if_he_named_it(bench: Bench) -> None:
    class Late(Moody):
        def launch(self, serve: Serve, port: int) -> Launch:
            self.listener = socket.create_server((serve.host, port))
            return super().launch(serve, port)

    kind = Late()
    failure = bench.fails("well", kind=kind, port=free_port("127.0.0.1"))
    kind.listener.close()
    assert (failure.phase, failure.cause) == (Phase.LOADING, Cause.PORT_IN_USE)


# It is given up


@pytest.mark.parametrize(
    ("mood", "word"),
    [
        ("never healthy", "GET /health"),
        ("mute", "mute"),
        ("hangs", "hanging"),
        ("refuses while loading for ever", "asked: "),
        ("in-stream error", "asked: "),
    ],
)
def test_giving_up_ends_it_at_any_point(bench: Bench, mood: str, word: str) -> None:
    bench.is_cancelled = lambda: word in bench.said
    began_s = time.monotonic()
    failure = bench.fails(mood, ready_timeout_s=10 * PATIENT_S)
    assert time.monotonic() - began_s < PATIENT_S
    assert word in bench.said
    assert failure.phase in {Phase.LOADING, Phase.UNHEALTHY}


def test_giving_up_before_the_start_ends_it(bench: Bench) -> None:
    bench.is_cancelled = lambda: True
    failure = bench.fails("never healthy", ready_timeout_s=10 * PATIENT_S)
    assert (failure.cause, failure.ended, failure.advice) == (Cause.KILLED, None, "the run was given up")


def test_giving_up_does_not_wait_for_what_is_still_to_be_found_out(bench: Bench) -> None:
    class Slow(Moody):
        def version_argv(self, serve: Serve) -> tuple[str, ...]:
            del serve
            return ("sleep", "600")

    bench.is_cancelled = lambda: "asked: " in bench.said
    found = bench.start("well", kind=Slow())
    assert isinstance(found, Running | Failure)


def test_an_error_of_ours_leaves_nothing(bench: Bench) -> None:
    def fail() -> bool:
        raise KeyboardInterrupt

    bench.is_cancelled = fail
    with pytest.raises(KeyboardInterrupt):
        bench.start("never healthy")
    assert bench.left() == []


# What is said meanwhile


def test_the_user_hears_how_long_it_takes_and_what_it_printed_last(
    bench: Bench, time_passes: TimePasses, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_passes("GET /health", step_s=0.5)
    monkeypatch.setattr(progress, "FIRST_S", 1.0)
    monkeypatch.setattr(progress, "EVERY_S", 1.0)
    bench.fails("never healthy", ready_timeout_s=SHORT_S)
    assert bench.told[1:] == [f"loading for {after_s} s: loading weights" for after_s in (1, 2, 3, 4)]


def test_the_user_hears_that_it_is_up_but_has_not_answered(
    bench: Bench, time_passes: TimePasses, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_passes("hanging", step_s=0.5)
    monkeypatch.setattr(progress, "FIRST_S", 2.0)
    bench.fails("hangs", ready_timeout_s=SHORT_S)
    assert bench.told[1].startswith("waiting for its first answer for ")
    assert bench.told[1].endswith(": hanging")
