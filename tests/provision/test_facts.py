"""What is known of servers that really run, and that the same words on another port are the same server."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from pytest_llmbench.model.endpoint import Endpoint, Gpu, ServerInfo
from pytest_llmbench.model.identity import steers
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.provision import facts
from pytest_llmbench.provision.attached import what_is_there
from pytest_llmbench.provision.beforehand import Beforehand
from pytest_llmbench.provision.facts import PORT, counters, what_runs
from pytest_llmbench.provision.neighbour import Neighbour
from pytest_llmbench.provision.ports import free_port
from pytest_llmbench.provision.process import ServerProcess
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind
from pytest_llmbench.servers.metrics import Counters, over_run
from pytest_llmbench.servers.registry import kinds
from tests.provision.pages import pages
from tests.real.chain_files import write_gguf, write_huggingface_cache
from tests.real.chain_model import CHAT_TEMPLATE, Chain
from tests.real.servers import built

CHAIN = Chain.of("Grüße from a chain of tokens, as long as it has to be for a first look.")
KEY = "sk-zebra-7"
UP_WITHIN_S = 300.0


@pytest.fixture(scope="module")
def llama_server() -> str:
    """Its program; found before a test moves the cache in which it lies."""
    return built("build-llama-server")


@pytest.fixture(scope="module")
def transformers_venv() -> str:
    return built("build-server-venv", "transformers")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No hash of another run, and no variable of ours that steers servers."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in list(os.environ):
        if steers(name):
            monkeypatch.delenv(name)


@dataclass(frozen=True)
class Up:
    """A server that says that it is up."""

    root: str
    info: ServerInfo


@contextmanager
def up(serve: Serve, folder: Path, api_key: str | None = None) -> Iterator[Up]:
    kind = kinds()[serve.kind]
    port = free_port(serve.host)
    root = f"http://{serve.host}:{port}"
    launch = kind.launch(serve, port)
    process = ServerProcess(
        launch.argv, {**os.environ, **launch.env, **serve.env}, serve.folder, folder / f"{port}.log"
    )
    begun = Beforehand(kind, serve, launch)
    try:
        deadline_s = time.monotonic() + UP_WITHIN_S
        with httpx.Client() as http:  # one, as each reads all certificates of the machine first
            while not answers(http, root + kind.health_path):
                assert process.ended is None, (folder / f"{port}.log").read_text()
                assert time.monotonic() < deadline_s
                time.sleep(0.05)  # a server has no event for "up"
        yield Up(root, what_runs(begun, root, api_key=api_key))
    finally:
        begun.close()
        process.stop(10.0)


def what_is_said_of(kind: ServerKind, serve: Serve, root: str) -> ServerInfo:
    """Return what is known of one that nobody started."""
    with closing(Beforehand(kind, serve, kind.launch(serve, int(root.rpartition(":")[2])))) as begun:
        return what_runs(begun, root)


def answers(http: httpx.Client, url: str) -> bool:
    try:
        return http.get(url).is_success
    except httpx.TransportError:
        return False


def llama(program: str, model: Path, *args: str, **more: Any) -> Serve:
    args = ("--ctx-size", "8192", "--parallel", "2", "--threads", "1", *args)
    return Serve("llamacpp", str(model), args, program=(program,), **more)


def ask(server: Up, tokens: int) -> Any:
    body = {"model": "x", "messages": [{"role": "user", "content": "?"}], "max_tokens": tokens}
    headers = {"Authorization": f"Bearer {KEY}"}
    return httpx.post(f"{server.root}/v1/chat/completions", json=body, headers=headers, timeout=60).json()


def test_llama_server(llama_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMA_ARG_THREADS_HTTP", "3")
    model = write_gguf(CHAIN, tmp_path / "chain.gguf")
    serve = llama(llama_server, model, "--api-key", KEY, "--no-ui", env={"HF_TOKEN": "hf-zebra-8", "NOTE": f"my {KEY}"})
    with up(serve, tmp_path, KEY) as server:
        info = server.info
        there = what_is_there(f"{server.root}/v1", kinds(), api_key=KEY)
    assert info.kind == "llamacpp"
    assert info.version is not None
    assert info.build is not None
    assert re.fullmatch(r"b\d+-[0-9a-f]{7,}", info.build)
    assert info.command == (
        *serve.program, "-m", str(model), "--host", "127.0.0.1", "--port", PORT, "--metrics", "--ctx-size", "8192",
        "--parallel", "2", "--threads", "1", "--api-key", "<redacted>", "--no-ui",
    )  # fmt: skip
    assert info.env == {"LLAMA_ARG_THREADS_HTTP": "3", "HF_TOKEN": "<redacted>", "NOTE": "my <redacted>"}
    assert info.model == str(model)
    assert info.model_sha256 == hashlib.sha256(model.read_bytes()).hexdigest()
    assert info.chat_template_sha256 == hashlib.sha256(CHAT_TEMPLATE.encode()).hexdigest()
    assert info.context_tokens == 4096, "of one of two slots"
    assert info.quantisation == "F16"
    # The same server, seen from outside: what started it is nobody's business.
    assert there.kind == "llamacpp"
    for name in ("build", "model", "model_sha256", "chat_template_sha256", "context_tokens", "quantisation", "gpus"):
        assert getattr(there, name) == getattr(info, name), name
    assert (there.command, there.env, there.version) == (None, None, None)


def test_two_starts_on_two_ports_are_one_server_and_another_flag_is_another(llama_server: str, tmp_path: Path) -> None:
    model = write_gguf(CHAIN, tmp_path / "chain.gguf")
    copy = write_gguf(CHAIN, tmp_path / "copy.gguf")
    prints = []
    for serve in (
        llama(llama_server, model),
        llama(llama_server, copy, "--log-file", str(tmp_path / "log")),
        llama(llama_server, model, "--cache-type-k", "q8_0"),
    ):
        with up(serve, tmp_path) as server:
            name = httpx.get(f"{server.root}/v1/models").json()["data"][0]["id"]
            prints.append(Endpoint("e", f"{server.root}/v1", name, server=server.info).fingerprint)
    assert prints[0] == prints[1]
    assert prints[2] != prints[0]


def test_llama_server_counts_what_the_client_got(llama_server: str, tmp_path: Path) -> None:
    kind = kinds()["llamacpp"]
    with up(llama(llama_server, write_gguf(CHAIN, tmp_path / "chain.gguf"), "--api-key", KEY), tmp_path, KEY) as server:
        before = counters(kind, server.root, KEY)
        answers = [ask(server, tokens) for tokens in (5, 7)]
        after = counters(kind, server.root, KEY)
    assert before is not None
    assert after is not None
    counted = over_run(before, after)
    usage = [answer["usage"] for answer in answers]
    assert counted.generation_tokens == sum(one["completion_tokens"] for one in usage) == 12
    assert (counted.prompt_tokens or 0) + (counted.cached_tokens or 0) == sum(one["prompt_tokens"] for one in usage)
    # It prints six digits.
    decoded_s = sum(answer["timings"]["predicted_ms"] for answer in answers) / 1000
    assert counted.generation_s == pytest.approx(decoded_s, rel=1e-3)


def test_transformers_serve(transformers_venv: str, tmp_path: Path) -> None:
    home = write_huggingface_cache(CHAIN, tmp_path / "home", "tests/chain")
    venv = transformers_venv
    tell = "from importlib.metadata import version; print(version('transformers'))"
    version = subprocess.run(
        [f"{venv}/bin/python", "-c", tell], check=True, capture_output=True, text=True
    ).stdout.strip()
    variables = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    serve = Serve("transformers", "tests/chain", ("--device", "cpu"), variables, (f"{venv}/bin/transformers", "serve"))
    with up(serve, tmp_path) as server:
        info = server.info
    assert (info.kind, info.version, info.model) == ("transformers", version, "tests/chain")
    assert info.quantisation == "float32"
    assert info.env == {"PYTHONUNBUFFERED": "1", **variables}
    snapshot = next((home / "hub/models--tests--chain/snapshots").iterdir())
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(snapshot.iterdir())]
    assert info.model_sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()


class Odd(ServerKind):
    """Puts its port where nobody would look."""

    name = "odd"
    owned_by: ClassVar[tuple[str, ...]] = ("odd",)
    fact_paths = ("/about", "/v1/models")

    def launch(self, serve: Serve, port: int) -> Launch:
        return Launch(
            ("odd", f"--at=http://127.0.0.1:{port}/x", "8000", *serve.args), {"ODD_PORT": f":{port}", "A": "8000"}
        )

    def read_facts(self, answers: Any, serve: Serve | None = None) -> Facts:
        del serve
        return Facts(version=answers["/about"]["version"], model=answers["/v1/models"]["data"][0]["root"])


def test_the_port_is_taken_out_where_it_stands_and_nowhere_else() -> None:
    serve = Serve("odd", args=("--context", "8000"))
    info = what_is_said_of(Odd(), serve, "http://127.0.0.1:8000")
    assert info.command == ("odd", "--at=http://127.0.0.1:{port}/x", "8000", "--context", "8000")
    assert info.env == {"ODD_PORT": ":{port}", "A": "8000"}


def test_a_server_that_tells_nothing() -> None:
    with pages({"/about": 500}) as server:
        info = what_is_said_of(Odd(), Serve("odd"), server.root)
    assert info.kind == "odd"
    assert (info.version, info.model, info.model_sha256, info.context_tokens) == (None, None, None, None)


def test_a_server_on_another_machine_has_no_gpus_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = (Gpu("H100"),)
    monkeypatch.setattr(facts, "gpus_of", lambda _: ours)
    command = kinds()["command"]
    for program, gpus in ((("/usr/bin/ssh", "gpu1", "serve {port}"), None), (("serve", "{port}"), ours)):
        serve = Serve("command", args=program)
        assert what_is_said_of(command, serve, "http://127.0.0.1:7").gpus == gpus


@pytest.mark.parametrize("base", ["/v1", "/v1/"])
def test_a_server_that_somebody_else_started(tmp_path: Path, base: str) -> None:
    file = tmp_path / "m.gguf"
    file.write_text("x")
    models = {"data": [{"id": "m", "owned_by": "odd", "root": str(file)}]}
    with pages({"/about": {"version": "7"}, "/v1/models": models}) as server:
        info = what_is_there(server.root + base, {"odd": Odd()}, api_key=KEY)
    assert (info.kind, info.version, info.model) == ("odd", "7", str(file))
    assert info.model_sha256 == hashlib.sha256(b"x").hexdigest()
    assert [path for path, _ in server.asked] == ["/v1/models", "/about"]
    assert {key for _, key in server.asked} == {f"Bearer {KEY}"}


@pytest.mark.parametrize("models", [404, b"<html>", [], {"data": 7}, {"data": [7, {"id": "m", "owned_by": "nobody"}]}])
def test_a_server_that_nobody_knows(models: Any) -> None:
    with pages({"/v1/models": models}) as server:
        info = what_is_there(f"{server.root}/v1", kinds())
    assert info == ServerInfo(gpus=info.gpus)


@pytest.mark.parametrize(
    ("said", "owner", "taken_for"),
    [
        ("vllm", "vllm", "vllm"),
        ("vllm", "llamacpp", "llamacpp"),
        ("vllm", "somebody", "vllm"),  # a proxy may write its own name there
        ("tgi", "Qwen/Qwen3-8B", "tgi"),  # told by nothing but the user's word
        ("mine", "vllm", "mine"),
        ("odd", "vllm", "vllm"),
        (None, "vllm", "vllm"),
        (None, "somebody", None),
    ],
)
def test_the_users_word_on_its_kind_counts_unless_the_server_contradicts(
    said: str | None, owner: str, taken_for: str | None
) -> None:
    class Mine(Odd):
        """A kind that cannot be told from outside."""

        name = "mine"
        owned_by = ()

    known = kinds([Odd(), Mine()])
    with pages({"/v1/models": {"data": [{"id": "m", "owned_by": owner}]}}) as server:
        told: list[str] = []
        endpoint = Endpoint("it", url=f"{server.root}/v1", server=ServerInfo(kind=said))
        left = Neighbour(endpoint, known, told.append).leave()
    assert left.server.kind == taken_for
    surprise = f"it: said to be {said}, but its list of models is that of {taken_for}: taken for that"
    assert told == ([surprise] if said and said != taken_for else [])


def test_gpus_of_a_server_elsewhere_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise AssertionError("these are our own GPUs")

    monkeypatch.setattr("pytest_llmbench.provision.attached.gpus_of", fail)
    assert what_is_there("http://192.0.2.1:1/v1", kinds()) == ServerInfo()


def test_the_process_that_listens_says_which_gpus_it_sees(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    monkeypatch.setattr("pytest_llmbench.provision.attached.gpus_of", seen.append)
    port = free_port("127.0.0.1")
    environment = {"CUDA_VISIBLE_DEVICES": "1", "HF_TOKEN": "x"}
    words = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port))
    process = ServerProcess(words, environment, str(tmp_path), tmp_path / "log")
    try:
        with httpx.Client() as http:
            while not answers(http, f"http://127.0.0.1:{port}"):
                assert process.ended is None
                time.sleep(0.05)
        what_is_there(f"http://127.0.0.1:{port}/v1", kinds())
    finally:
        process.stop(0.0)
    assert seen == [{"CUDA_VISIBLE_DEVICES": "1"}]


def test_counters_of_a_server_that_has_none() -> None:
    with pages({"/metrics": 501}) as server:
        assert counters(kinds()["llamacpp"], server.root) is None
        assert counters(kinds()["command"], server.root) is None
    with pages(
        {"/metrics": b"# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total 7\n"}
    ) as server:
        assert counters(kinds()["vllm"], server.root) == Counters(generation_tokens=7)
