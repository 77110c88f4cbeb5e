"""Three kinds against their real servers: the words start them, and the facts are read from what they really answer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.provision.ports import free_port
from pytest_llmbench.servers.kind import Facts, ServerKind
from pytest_llmbench.servers.registry import kinds
from tests.real import servers
from tests.real.chain_files import write_gguf, write_huggingface_cache
from tests.real.chain_model import CHAT_TEMPLATE, Chain

CHAIN = Chain.of("Grüße from a chain of tokens.")
LONG = Chain.of(" ".join(f"line {number}" for number in range(300)), padding=4096)
UP_WITHIN_S = 300.0
VERSION_WITHIN_S = 300.0


@dataclass(frozen=True)
class Up:
    """A server that says that it is up."""

    kind: ServerKind
    serve: Serve
    root: str

    @property
    def facts(self) -> Facts:
        answers = {path: httpx.get(self.root + path) for path in self.kind.fact_paths}
        return self.kind.read_facts({path: got.json() for path, got in answers.items() if got.is_success}, self.serve)

    @property
    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.root}{self.kind.api_path}/models").json()["data"]
        return found

    def ask(self, model: str | None) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "?"}], "max_tokens": 200, "temperature": 0}
        return httpx.post(f"{self.root}{self.kind.api_path}/chat/completions", json=body, timeout=UP_WITHIN_S)


def environment(serve: Serve, home: Path, launched: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "HOME": str(home), **(launched or {}), **serve.env}


@contextmanager
def started(serve: Serve, folder: Path) -> Iterator[Up]:
    kind = kinds()[serve.kind]
    port = free_port(serve.host)
    launch = kind.launch(serve, port)
    log = folder / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            launch.argv,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=environment(serve, folder, launch.env),
            start_new_session=True,
        )
    try:
        root = f"http://{serve.host}:{port}"
        deadline_s = time.monotonic() + UP_WITHIN_S
        with httpx.Client() as http:  # one, as each reads all certificates of the machine first
            while not is_up(http, root + kind.health_path):
                assert process.poll() is None, log.read_text(errors="replace")
                assert time.monotonic() < deadline_s, log.read_text(errors="replace")
                time.sleep(0.05)  # a port that opens is no event
        yield Up(kind, serve, root)
    finally:
        servers._stop(process)


def is_up(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def version_of(serve: Serve, folder: Path) -> Facts:
    kind = kinds()[serve.kind]
    argv = kind.version_argv(serve)
    assert argv is not None
    run = subprocess.run(
        argv,
        env=environment(serve, folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        timeout=VERSION_WITHIN_S,
    )
    return kind.read_version(run.stdout)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`llama-server`, with two slots of 4096 tokens and a file that is named for what it is not."""
    folder = tmp_path_factory.mktemp("llama")
    model = write_gguf(CHAIN, folder / "chain-Q4_K_M.gguf")
    program = (servers.built("build-llama-server"),)
    args = ("--ctx-size", "8192", "--parallel", "2", "--threads", "1", "--offline", "--alias", "chain,links")
    with started(Serve("llamacpp", str(model), args, program=program), folder) as up:
        yield up


def test_what_llama_server_tells(llama: Up) -> None:
    facts = llama.facts
    assert facts.model == llama.serve.model
    assert facts.context_tokens == 4096, "that of one slot"
    assert facts.quantisation == "F16"
    assert facts.chat_template == CHAT_TEMPLATE
    assert re.fullmatch(r"b\d+-\w+", facts.build or "")


def test_llama_server_prints_the_build_that_it_tells(llama: Up, tmp_path: Path) -> None:
    printed = version_of(llama.serve, tmp_path)
    assert printed.build == llama.facts.build
    assert re.match(r"\d+\.\d+|b\d+", printed.version or "")


def test_llama_server_is_recognised_by_its_list_of_models(llama: Up) -> None:
    assert {card["owned_by"] for card in llama.listed} <= set(llama.kind.owned_by)


def test_llama_server_serves_under_the_alias(llama: Up) -> None:
    wanted = llama.kind.wanted_model(llama.serve)
    assert wanted in {card["id"] for card in llama.listed}
    answer = llama.ask(wanted).json()
    assert answer["choices"][0]["message"]["content"] == CHAIN.text


def test_metrics_of_llama_server_are_where_we_look(llama: Up) -> None:
    metrics = httpx.get(f"{llama.root}{llama.kind.metrics_path}")
    assert metrics.is_success
    assert "llamacpp:tokens_predicted_total" in metrics.text


@pytest.fixture(scope="module")
def llama_cpp_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`python -m llama_cpp.server`, in an environment where the variable PORT says something else."""
    folder = tmp_path_factory.mktemp("llama-cpp-python")
    model = write_gguf(LONG, folder / "long.gguf")
    build = [str(servers.REPOSITORY / "dev" / "build-server-venv"), "llama-cpp-python"]
    home = subprocess.run(build, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[-1]
    program = (f"{home}/bin/python", "-m", "llama_cpp.server")
    args = ("--n_ctx", "4096", "--n_threads", "1", "--model_alias", "chain")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORT", "1")
        with started(Serve("llama-cpp-python", str(model), args, program=program), folder) as up:
            yield up


@pytest.mark.extended
def test_llama_cpp_python_serves_under_the_alias(llama_cpp_python: Up) -> None:
    wanted = llama_cpp_python.kind.wanted_model(llama_cpp_python.serve)
    assert [(card["id"], card["owned_by"]) for card in llama_cpp_python.listed] == [
        (wanted, *llama_cpp_python.kind.owned_by)
    ]


@pytest.mark.extended
def test_llama_cpp_python_breaks_off_no_answer_for_the_next(llama_cpp_python: Up) -> None:
    with ThreadPoolExecutor(3) as asking:
        texts = list(asking.map(lambda _: streamed(llama_cpp_python), range(3)))
    assert texts == [LONG.text] * 3


def test_what_is_known_of_llama_cpp_python(llama_cpp_python: Up, tmp_path: Path) -> None:
    assert llama_cpp_python.facts == Facts(model=llama_cpp_python.serve.model, context_tokens=4096)
    environment_folder = Path(llama_cpp_python.serve.program[0]).parents[1]
    (package,) = environment_folder.glob("lib/python3*/site-packages/llama_cpp_python-*.dist-info")
    assert version_of(llama_cpp_python.serve, tmp_path).version == package.name.split("-")[1].removesuffix(".dist")


def streamed(up: Up) -> str:
    """Ask for the answer piece by piece."""
    body = {"model": up.kind.wanted_model(up.serve), "messages": [{"role": "user", "content": "?"}], "stream": True}
    url = f"{up.root}{up.kind.api_path}/chat/completions"
    with httpx.stream("POST", url, json=body | {"max_tokens": 2000, "temperature": 0}, timeout=UP_WITHIN_S) as answer:
        chunks = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: {")]
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)


@pytest.fixture(scope="module")
def transformers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`transformers serve`, with two models in its cache and one of them to serve."""
    folder = tmp_path_factory.mktemp("transformers")
    for name in ("chain", "other"):
        write_huggingface_cache(CHAIN, folder / "home", f"tests/{name}")
    program = (f"{servers.built('build-server-venv', 'transformers')}/bin/transformers", "serve")
    env = {"HF_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with started(Serve("transformers", "tests/chain", ("--device", "cpu"), env, program), folder) as up:
        yield up


def test_transformers_serves_under_the_id_that_is_known_beforehand(transformers: Up) -> None:
    answer = transformers.ask(transformers.kind.wanted_model(transformers.serve)).json()
    assert answer["choices"][0]["message"]["content"] == CHAIN.text


def test_the_list_of_transformers_would_not_do(transformers: Up) -> None:
    others = {card["id"] for card in transformers.listed} - {transformers.kind.wanted_model(transformers.serve)}
    assert others == {"tests/other"}
    refused = transformers.ask(others.pop())
    assert refused.is_client_error, refused.text


def test_what_is_known_of_transformers(transformers: Up) -> None:
    assert transformers.facts == Facts(model="tests/chain")


def test_the_version_of_transformers_is_that_of_its_package(transformers: Up, tmp_path: Path) -> None:
    environment_folder = Path(transformers.serve.program[0]).parents[1]
    (package,) = environment_folder.glob("lib/python3*/site-packages/transformers-*.dist-info")
    assert version_of(transformers.serve, tmp_path).version == package.name.split("-")[1].removesuffix(".dist")
