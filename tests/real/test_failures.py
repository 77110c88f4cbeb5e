"""Real servers that fail, each in its own way, in whole runs: class, telling line and advice, and nothing left."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_llmbench.model.serving import Cause, Phase
from pytest_llmbench.servers.advice import HELP
from tests.real import serving
from tests.real.chain_files import write_gguf
from tests.real.chain_model import Chain
from tests.real.conftest import CHAINS
from tests.real.product import ProductRun, start_product

WITHIN_S = 1800.0
CHAIN = Chain.of("One short answer.")
TOLD = re.compile(r"llmbench: it-(?P<name>[\w-]+): (?P<what>starting|ready after)\b(?:[^(]*\(pid (?P<pid>\d+)\))?")


@dataclass(frozen=True, slots=True)
class Failing:
    """A way to fail, and what is to be said of it."""

    phase: Phase
    cause: Cause
    telling: str | None = None
    """Part of the line; None: there is none, or how its log ends."""
    ended: str | None = "exit status 1"
    serve: Mapping[str, Any] = field(default_factory=dict)
    """What differs from a good server."""
    signum: signal.Signals | None = None
    """Sent to it …"""
    when: str = "starting"
    """… when the run tells this, …"""
    log: str = ""
    """… and its log has this."""


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_llama_server(tmp_path: Path, taken_port: int) -> None:
    good = serving.llamacpp(tmp_path, CHAIN)
    whole = Path(good["model"]).read_bytes()
    cut, other, endless = tmp_path / "cut.gguf", tmp_path / "other.gguf", tmp_path / "endless.gguf"
    cut.write_bytes(whole[:-5000])
    other.write_bytes(whole.replace(b"llama", b"lhama"))
    os.mkfifo(endless)  # nobody writes there: whoever wants to read it is loading for ever
    loading, said = {"model": str(endless)}, "loading model"
    # Its answer takes seconds: whoever kills it has the time to.
    serving_long = {"model": str(write_gguf(CHAINS["long"], tmp_path / "long.gguf"))}
    died, killed = Phase.LOADING, Cause.KILLED
    sigkill, sigterm = signal.SIGKILL, signal.SIGTERM
    ways = {
        "port": Failing(Phase.START, Cause.PORT_IN_USE, f"{taken_port} is in use by ", None, {"port": taken_port}),
        "program": Failing(Phase.START, Cause.PROGRAM_MISSING, "/nonesuch", None, {"program": "/nonesuch"}),
        "missing": Failing(died, Cause.MODEL_MISSING, "failed to open GGUF file", serve={"model": "/nope/x.gguf"}),
        "corrupt": Failing(died, Cause.MODEL_CORRUPT, "not within the file bounds", serve={"model": str(cut)}),
        "unknown": Failing(died, Cause.ARCHITECTURE, "architecture: 'lhama'", serve={"model": str(other)}),
        "flag": Failing(died, Cause.BAD_FLAG, "invalid argument: --frobnicate", serve={"args+": "--frobnicate"}),
        "device": Failing(died, Cause.NO_DEVICE, "invalid device: CUDA0", serve={"args+": "--device CUDA0"}),
        "slow": Failing(Phase.NOT_READY, Cause.TIMEOUT, "its log ends: ", None, {**loading, "ready_timeout_s": 8}),
        "killed": Failing(died, killed, None, "SIGKILL", loading, sigkill, log=said),
        "told": Failing(died, killed, None, "SIGTERM", loading, sigterm, log=said),
        "killed-later": Failing(Phase.SERVING, killed, None, "SIGKILL", serving_long, sigkill, "ready after"),
        "told-later": Failing(Phase.SERVING, killed, None, "exit status 0", serving_long, sigterm, "ready after"),
    }
    with run_of(ways, good, tmp_path) as run:
        see(ways, run)


def test_transformers_serve(tmp_path: Path) -> None:
    died, killed = Phase.LOADING, Cause.KILLED
    ways = {
        "device": Failing(died, Cause.NO_DEVICE, "not compiled with CUDA", serve={"args": "--device cuda"}),
        "slow": Failing(Phase.NOT_READY, Cause.TIMEOUT, "/health: ", None, {"ready_timeout_s": 0.5}),
        "killed": Failing(died, killed, None, "SIGKILL", signum=signal.SIGKILL),
        "told": Failing(died, killed, None, "SIGTERM", signum=signal.SIGTERM),
    }
    with run_of(ways, serving.transformers(tmp_path), tmp_path) as run:
        see(ways, run)


@pytest.mark.extended
def test_vllm(tmp_path: Path) -> None:
    """The model has one attention head, which cannot be divided."""
    died, killed = Phase.LOADING, Cause.KILLED
    halves, loading = {"args+": "--tensor-parallel-size 2"}, "Initializing a V1 LLM engine"
    ways = {
        "tp": Failing(died, Cause.TENSOR_PARALLEL, "must be divisible by tensor parallel size (2)", serve=halves),
        "killed": Failing(died, killed, None, "SIGKILL", signum=signal.SIGKILL, log=loading),
        # Later, while it waits for its engine, vLLM does not heed it.
        "told": Failing(died, killed, None, "SIGTERM", signum=signal.SIGTERM, log="Triton is installed"),
    }
    with run_of(ways, serving.vllm(tmp_path), tmp_path) as run:
        see(ways, run)


@contextmanager
def run_of(ways: Mapping[str, Failing], good: Mapping[str, Any], folder: Path) -> Iterator[ProductRun]:
    """Run the zmq suite on a server for each way, sending signals as told; look that nothing is left in the end."""
    variants = {name: {"serve": dict(way.serve)} for name, way in ways.items()}
    config = serving.write_config(folder, it={"serve": good, "variants": variants})
    process = start_product(folder / "out", config, "--llm-endpoint=it", suites="zmq")
    lines = []
    pids: dict[str, int] = {}
    too_late = threading.Timer(WITHIN_S, process.kill)
    too_late.start()
    with process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                lines.append(line)
                if (told := TOLD.search(line)) is None:
                    continue
                name = told["name"]
                way, pids[name] = ways[name], int(told["pid"] or pids[name])
                if way.signum is not None and told["what"] == way.when:
                    wait_for(way.log, folder / "out" / "servers" / f"it-{name}-1.log", pids[name])
                    os.kill(pids[name], way.signum)
        finally:
            too_late.cancel()
            process.kill()
    yield ProductRun(folder / "out", process.returncode, "".join(lines))
    left = [one.info for one in psutil.process_iter(["pid", "cmdline"]) if str(folder) in str(one.info["cmdline"])]
    assert left == []


def wait_for(text: str, log: Path, pid: int) -> None:
    """Wait until a log has a text, while its server lives."""
    while text not in log.read_text("utf-8", "replace"):
        assert psutil.pid_exists(pid)
        time.sleep(0.02)


def see(ways: Mapping[str, Failing], run: ProductRun) -> None:
    """Look that each way is told in report and terminal as it shall be."""
    rows = {row["name"].removeprefix("it-"): row["server"]["failure"] for row in run.report["endpoints"]}
    seen = {name: (row["phase"], row["cause"], row["ended"]) for name, row in rows.items() if row is not None}
    assert seen == {name: (way.phase, way.cause, way.ended) for name, way in ways.items()}, run.stdout
    assert set(run.outcomes) == {"infra_error"}
    shown = run.stdout[run.stdout.index("failed server") :].splitlines()
    for name, way in ways.items():
        row = rows[name]
        assert row["advice"] == HELP[way.cause].advice
        assert f"it-{name}: {row['advice']}" in shown
        assert any(re.match(rf"it-{name} +{way.cause} +{way.phase} ", line) for line in shown), shown
        assert row["log"] is None or f"it-{name}: log: {row['log']}" in shown
        if way.telling is not None:
            assert way.telling in row["line"]
            assert any(line.startswith(f"it-{name}: ") and way.telling in line for line in shown), shown
        elif row["line"] is not None:
            assert row["line"].startswith("its log ends: ")
