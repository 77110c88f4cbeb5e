"""Starts real model servers, waits until one generation came back, and stops every process they made."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from pytest_llmbench.provision.ports import free_port

REPOSITORY = Path(__file__).parents[2]
_READY_WITHIN_S = 300.0
_POLL_S = 0.05
_STOP_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class RealServer:
    """A server that runs, and has answered once."""

    root: str
    """URL without a path."""
    log: Path
    process: subprocess.Popen[bytes]
    answer_mark: str
    """What its log says exactly once for each chat completion that it takes on."""

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return f"{self.root}/v1"

    def answers_counted(self) -> int:
        """How many chat completions it has taken on so far, by its own log; the warm-up is one."""
        return self.log.read_text(errors="replace").count(self.answer_mark)

    def kill(self) -> None:
        """Kill it at once, with all that it started."""
        _signal_group(self.process, signal.SIGKILL)
        self.process.wait()


@contextmanager
def llama_server(model: Path, log: Path, *, slots: int = 2, context_tokens: int = 32_768) -> Iterator[RealServer]:
    """Run the real llama-server on a GGUF file that it calls `chain`: slots of so many tokens each, one thread.

    One thread, as a second one would fight with the client for the cores and blur both clocks.
    """
    command = [built("build-llama-server"), "--model", str(model), "--alias", "chain", "--offline", "--no-ui"]
    command += ["--metrics", "--ctx-size", str(slots * context_tokens), "--parallel", str(slots), "--threads", "1"]
    with _running(command, {}, log, "chain", "processing task, is_child = 0") as server:
        yield server


@contextmanager
def transformers_serve(home: Path, model: str, log: Path) -> Iterator[RealServer]:
    """Run the real `transformers serve` on a Hugging Face home; the warm-up goes to `model`, others load on demand."""
    command = [f"{built('build-server-venv', 'transformers')}/bin/transformers", "serve", "--device", "cpu"]
    environment = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with _running(command, environment, log, model, '"POST /v1/chat/completions') as server:
        yield server


def built(script: str, *arguments: str) -> str:
    """Return the path that a script below dev/ prints; it builds what is not there yet."""
    run = subprocess.run([REPOSITORY / "dev" / script, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return run.stdout.splitlines()[-1]


@contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str], log: Path, model: str, answer_mark: str
) -> Iterator[RealServer]:
    port = free_port("127.0.0.1")
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "HOME": str(log.parent), **environment},
            start_new_session=True,
        )
    try:
        server = RealServer(f"http://127.0.0.1:{port}", log, process, answer_mark)
        _warm_up(server, model)
        yield server
    finally:
        _stop(process)


def _warm_up(server: RealServer, model: str) -> None:
    """Ask until an answer comes: health checks of some servers are green before the model is loaded."""
    body = {"model": model, "messages": [{"role": "user", "content": "?"}], "max_tokens": 2}
    deadline_s = time.monotonic() + _READY_WITHIN_S
    with httpx.Client(timeout=_READY_WITHIN_S) as http:  # one, as each reads all certificates of the machine first
        while time.monotonic() < deadline_s:
            try:
                if http.post(f"{server.url}/chat/completions", json=body).is_success:
                    return
            except httpx.TransportError:
                pass  # the port is not open yet
            try:
                server.process.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                continue
            break
    tail = server.log.read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{server.process.args!r} did not answer within {_READY_WITHIN_S:g} s; its log ends:\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    _signal_group(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_WITHIN_S)
    _signal_group(process, signal.SIGKILL)
    process.wait()


def _signal_group(process: subprocess.Popen[bytes], signum: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # all of it has ended
        os.killpg(process.pid, signum)
