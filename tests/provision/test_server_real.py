"""The same with a real server: `llama-server` comes up, does not, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_llmbench.model.serving import Cause, Failure, Phase
from pytest_llmbench.provision.ports import free_port, is_taken
from pytest_llmbench.provision.server import Running
from pytest_llmbench.servers.llamacpp import LlamaCpp
from tests.provision.bench import Bench
from tests.real.chain_files import write_gguf
from tests.real.chain_model import Chain
from tests.real.servers import REPOSITORY, built

STARTS = 20


@pytest.fixture(scope="session")
def program() -> str:
    return built("build-llama-server")


@pytest.fixture(scope="session")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(Chain.of("All is well with it."), tmp_path_factory.mktemp("gguf") / "chain.gguf")


def llama(bench: Bench, program: str, model: Path, *args: str, **serve: Any) -> Running | Failure:
    words = ("--offline", "--threads", "1", "-c", "512", *args)
    return bench.start(str(model), LlamaCpp(), program=(program,), args=words, **serve)


def test_twenty_starts_and_stops_leave_nothing(bench: Bench, program: str, gguf: Path) -> None:
    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(STARTS):
        running = llama(bench, program, gguf)
        assert isinstance(running, Running), running
        assert running.process.memory_peak_bytes is None or running.process.memory_peak_bytes > 2**20
        port = int(running.url.rpartition(":")[2].partition("/")[0])
        assert is_taken("127.0.0.1", port)
        running.process.stop(30.0)
        assert running.process.ended == "exit status 0"
        assert running.process.memory_peak_bytes is not None
        assert running.process.memory_peak_bytes > 2**20
        assert not is_taken("127.0.0.1", port)
        assert bench.left() == []
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def test_a_real_model_that_is_none_dies_while_loading(bench: Bench, program: str, tmp_path: Path) -> None:
    (tmp_path / "none.gguf").write_text("this is no model")
    for model, cause in (("none.gguf", Cause.MODEL_CORRUPT), ("nonesuch.gguf", Cause.MODEL_MISSING)):
        failure = llama(bench, program, tmp_path / model)
        assert isinstance(failure, Failure)
        assert (failure.phase, failure.cause, failure.ended) == (Phase.LOADING, cause, "exit status 1")


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_real_server_ends_with_whoever_started_it(
    bench: Bench, program: str, gguf: Path, tmp_path: Path, signum: int
) -> None:
    port = free_port("127.0.0.1")
    server = [program, "-m", str(gguf), "--port", str(port), "--offline"]
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.provision.parent", str(tmp_path / "log"), "5", "-", *server],
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with parent:
        while not is_taken("127.0.0.1", port):
            assert parent.poll() is None
            time.sleep(0.02)
        os.killpg(parent.pid, signum)
    bench.wait_until_gone()
    assert not is_taken("127.0.0.1", port)
