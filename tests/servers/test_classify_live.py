"""The same with servers that fail, or do not, here and now."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from pytest_llmbench.model.serving import Cause
from pytest_llmbench.servers.classify import Diagnosis, classify
from tests.real import servers
from tests.real.chain_files import write_gguf, write_huggingface_cache
from tests.real.chain_model import Chain

FAILS_WITHIN_S = 300.0
CHAIN = Chain.of("One short answer.")


@dataclass(frozen=True, slots=True)
class Place:
    """What a test has at hand."""

    folder: Path
    taken_port: int

    def write(self, name: str, data: bytes) -> str:
        (self.folder / name).write_bytes(data)
        return str(self.folder / name)

    @property
    def gguf(self) -> Path:
        """A model that llama-server likes."""
        path = self.folder / "good.gguf"
        return path if path.exists() else write_gguf(CHAIN, path)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield Place(tmp_path, listener.getsockname()[1])


def _of_failure(command: Sequence[str], environment: dict[str, str], folder: Path) -> Diagnosis:
    """Run a server that is to fail, and classify what it printed."""
    run = subprocess.run(
        command,
        cwd=folder,
        env={"PATH": str(folder), "HOME": str(folder), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=FAILS_WITHIN_S,
        check=False,
    )
    assert run.returncode > 0, run.stdout
    return classify(run.stdout.decode("utf-8", "replace"), ended=f"exit status {run.returncode}")


Arguments = Callable[[Place], Sequence[str]]
LLAMA_SERVER: dict[str, tuple[Arguments, Cause, str]] = {
    "missing file": (lambda _: ("-m", "/nope/x.gguf"), Cause.MODEL_MISSING, "failed to open GGUF file '/nope/x.gguf'"),
    "no model": (lambda _: ("-hf", "nobody/nothing"), Cause.MODEL_MISSING, ""),
    "missing projector": (lambda at: ("-m", f"{at.gguf}", "--mmproj", "/nope.gguf"), Cause.MODEL_MISSING, "/nope.gguf"),
    "cut off": (
        lambda at: ("-m", at.write("cut.gguf", at.gguf.read_bytes()[:-5000])),
        Cause.MODEL_CORRUPT,
        "not within the file bounds",
    ),
    "cut off early": (
        lambda at: ("-m", at.write("cut.gguf", at.gguf.read_bytes()[:900])),
        Cause.MODEL_CORRUPT,
        "failed to read key-value pairs",
    ),
    "a web page": (lambda at: ("-m", at.write("x.gguf", b"<html>" * 99)), Cause.MODEL_CORRUPT, "invalid magic"),
    "empty": (lambda at: ("-m", at.write("x.gguf", b"")), Cause.MODEL_CORRUPT, "failed to read magic"),
    "a key is missing": (
        lambda at: ("-m", at.write("x.gguf", at.gguf.read_bytes().replace(b"block_count", b"black_count"))),
        Cause.MODEL_CORRUPT,
        "key not found in model: llama.block_count",
    ),
    "unknown architecture": (
        lambda at: ("-m", at.write("x.gguf", at.gguf.read_bytes().replace(b"llama", b"lhama"))),
        Cause.ARCHITECTURE,
        "unknown model architecture: 'lhama'",
    ),
    "unknown flag": (lambda _: ("--frobnicate", "7"), Cause.BAD_FLAG, "error: invalid argument: --frobnicate"),
    "bad value": (lambda _: ("--ctx-size", "abc"), Cause.BAD_FLAG, '"--ctx-size"'),
    "bad choice": (lambda _: ("--cache-type-k", "q6_k"), Cause.BAD_FLAG, "q6_k"),
    "flags that do not go together": (
        lambda at: ("-m", f"{at.gguf}", "--flash-attn", "off", "--cache-type-v", "q8_0"),
        Cause.BAD_FLAG,
        "requires flash_attn",
    ),
    "no such device": (lambda at: ("-m", f"{at.gguf}", "--device", "CUDA0"), Cause.NO_DEVICE, "invalid device: CUDA0"),
    "port taken": (
        lambda at: ("-m", f"{at.gguf}", "--port", f"{at.taken_port}"),
        Cause.PORT_IN_USE,
        "couldn't bind HTTP server socket",
    ),
}


@pytest.mark.parametrize("failure", LLAMA_SERVER)
def test_llama_server(failure: str, place: Place) -> None:
    arguments, cause, telling = LLAMA_SERVER[failure]
    program = servers.built("build-llama-server")
    said = _of_failure([program, "--offline", "--no-ui", *arguments(place)], {}, place.folder)
    assert said.cause is cause, said.line
    assert telling in (said.line or "")


def test_llama_server_that_cannot_have_the_memory(place: Place) -> None:
    program = servers.built("build-llama-server")
    limited = f"ulimit -v 400000; exec '{program}' --offline --no-ui -m '{place.gguf}' --ctx-size 8000000"
    said = _of_failure([shutil.which("bash") or "bash", "-c", limited], {}, place.folder)
    assert said.cause is Cause.HOST_MEMORY, said.line


def test_llama_server_that_came_up_and_then_gets_too_much(place: Place) -> None:
    command = [servers.built("build-llama-server"), "--offline", "--no-ui", "-m", f"{place.gguf}", "--ctx-size", "256"]
    with servers._running(command, {}, place.folder / "log", "chain", "processing task") as server:
        assert classify(server.log.read_text("utf-8", "replace")) == classify("")
        body = {"messages": [{"role": "user", "content": "far too long " * 400}], "max_tokens": 2}
        assert httpx.post(f"{server.url}/chat/completions", json=body, timeout=60).status_code == 400
        said = classify(server.log.read_text("utf-8", "replace"))
    assert said.cause is Cause.CONTEXT
    assert "exceeds the available context size (256 tokens)" in (said.line or "")


def _snapshot(place: Place) -> Path:
    """Return the folder of a model as it lies in a Hugging Face cache."""
    home = write_huggingface_cache(CHAIN, place.folder / "home", "tests/chain")
    return next((home / "hub").glob("*/snapshots/*"))


def _cut_weights(place: Place) -> Path:
    folder = _snapshot(place)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-500])
    return folder


def _unknown_type(place: Place) -> Path:
    folder = _snapshot(place)
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"model_type": "llama"', '"model_type": "lhama"'))
    return folder


TRANSFORMERS: dict[str, tuple[Arguments, Cause, str]] = {
    "unknown flag": (lambda _: ("--frobnicate",), Cause.BAD_FLAG, "No such option"),
    "bad value": (lambda _: ("--port", "abc"), Cause.BAD_FLAG, "'abc' is not a valid integer"),
    "port taken": (lambda at: ("--port", f"{at.taken_port}"), Cause.PORT_IN_USE, "[Errno 98]"),
    "missing": (lambda _: ("nobody/nothing",), Cause.MODEL_MISSING, "requested files"),
    "cut off": (lambda at: (f"{_cut_weights(at)}",), Cause.MODEL_CORRUPT, "SafetensorError"),
    "unknown architecture": (lambda at: (f"{_unknown_type(at)}",), Cause.ARCHITECTURE, "`lhama`"),
}


@pytest.mark.parametrize("failure", TRANSFORMERS)
def test_transformers_serve(failure: str, place: Place) -> None:
    arguments, cause, telling = TRANSFORMERS[failure]
    program = f"{servers.built('build-server-venv', 'transformers')}/bin/transformers"
    environment = {"HF_HUB_OFFLINE": "1", "HF_HOME": f"{place.folder}/hub", "OMP_NUM_THREADS": "1"}
    said = _of_failure([program, "serve", *arguments(place)], environment, place.folder)
    assert said.cause is cause, said.line
    assert telling in (said.line or "")


def test_transformers_serve_that_came_up(place: Place) -> None:
    home = write_huggingface_cache(CHAIN, place.folder / "home", "tests/chain")
    with servers.transformers_serve(home, "tests/chain", place.folder / "log") as server:
        assert classify(server.log.read_text("utf-8", "replace")) == classify("")


def test_program_that_is_not_there(place: Place) -> None:
    bash = shutil.which("bash") or "bash"
    assert _of_failure([bash, "-c", "vllm serve x"], {}, place.folder).cause is Cause.PROGRAM_MISSING


def test_package_that_is_not_there(place: Place) -> None:
    python = shutil.which("python3") or "python3"
    said = _of_failure([python, "-I", "-m", "sglang.launch_server"], {}, place.folder)
    assert said.cause is Cause.PROGRAM_MISSING, said.line
