"""Servers that the product starts itself: the real ones, all 22 checks, and nothing left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.real import serving
from tests.real.conftest import ANSWER
from tests.real.product import ProductRun, finish_product, start_product


@pytest.mark.parametrize(
    "serve",
    [
        pytest.param(serving.llamacpp, id="llamacpp"),
        pytest.param(serving.transformers, id="transformers"),
        pytest.param(serving.llama_cpp_python, id="llama-cpp-python", marks=pytest.mark.extended),
        pytest.param(serving.vllm, id="vllm", marks=pytest.mark.extended),
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
            assert row["completion_tokens"] == serving.CHAIN.completion_tokens
            assert row["decode_tok_s"] > 0
    _nothing_is_left(tmp_path, endpoint["url"])


def test_a_context_too_small_for_the_letters_is_no_failure_of_the_model(tmp_path: Path) -> None:
    serve = {**serving.llamacpp(tmp_path), "args": "--ctx-size 512 --threads 1 --no-ui"}
    run = _run(tmp_path, serve, "-k", "zmq")
    assert run.outcomes == {"infra_error": 2}, run.stdout
    assert "context" in run.stdout


def test_two_quantisations_of_one_model_follow_each_other_on_one_gpu(tmp_path: Path) -> None:
    serve = serving.llamacpp(tmp_path)
    other = str(shutil.copy(serve["model"], tmp_path / "reference-Q8_0.gguf"))
    chain = {"serve": serve, "variants": {"f16": {}, "q8": {"serve": {"model": other}}}}
    run = _product(tmp_path, chain, "-k", "zmq", "-n", "2")
    assert run.outcomes == {"passed": 4}, run.stdout
    assert [row["name"] for row in run.report["endpoints"]] == ["chain-f16", "chain-q8"]
    assert [row["server"]["quantisation"] for row in run.report["endpoints"]] != [None, None]
    lines = [line for line in run.stdout.splitlines() if line.startswith("llmbench: chain-")]
    assert [line.split(":")[1].strip() for line in lines] == sorted(line.split(":")[1].strip() for line in lines)


def _run(folder: Path, serve: Mapping[str, Any], *arguments: str) -> ProductRun:
    return _product(folder, {"serve": serve}, *arguments)


def _product(folder: Path, chain: Mapping[str, Any], *arguments: str) -> ProductRun:
    out = folder / "out"
    config = serving.write_config(folder, chain=chain)
    return finish_product(start_product(out, config, "--llm-endpoint=chain", *arguments, suites="all"), out)


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
