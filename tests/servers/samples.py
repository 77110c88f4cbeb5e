"""One server of each kind: what was asked for, what starts it, what it answers, and what that tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, ServerKind
from pytest_llmbench.servers.registry import kinds

PORT = 8123
KINDS = kinds()
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Sample:
    """What a kind makes of a model, and of what its server tells about it."""

    serve: Serve
    words: str
    """Its command line."""
    env: Mapping[str, str] = field(default_factory=dict)
    wanted: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    """In the form that the server's own source or documentation gives them."""
    facts: Facts = Facts()  # noqa: RUF009 - frozen

    @property
    def kind(self) -> ServerKind:
        return KINDS[self.serve.kind]


SAMPLES = (
    Sample(
        Serve("vllm", "Qwen/Qwen3-30B-A3B", ("-q", "fp8", "--max-model-len", "40960", "--kv-cache-dtype=fp8")),
        "vllm serve Qwen/Qwen3-30B-A3B --host 127.0.0.1 --port 8123 -q fp8 --max-model-len 40960 --kv-cache-dtype=fp8",
        UNBUFFERED,
        "Qwen/Qwen3-30B-A3B",
        {
            "/version": {"version": "0.32.0"},
            "/v1/models": {
                "object": "list",
                "data": [
                    {
                        "id": "Qwen/Qwen3-30B-A3B",
                        "object": "model",
                        "owned_by": "vllm",
                        "root": "Qwen/Qwen3-30B-A3B",
                        "parent": None,
                        "max_model_len": 40960,
                    },
                    {"id": "sql-lora", "root": "/loras/sql", "parent": "Qwen/Qwen3-30B-A3B", "max_model_len": None},
                ],
            },
            "/tokenizer_info": {"tokenizer_class": "Qwen2Tokenizer", "chat_template": "{{ messages }}"},
        },
        Facts("0.32.0", None, "Qwen/Qwen3-30B-A3B", 40960, "fp8", "{{ messages }}"),
    ),
    Sample(
        Serve("sglang", "/models/Qwen3-235B", ("--tp", "8", "--reasoning-parser", "qwen3")),
        "python3 -m sglang.launch_server --model-path /models/Qwen3-235B --host 127.0.0.1 --port 8123 --enable-metrics "
        "--tp 8 --reasoning-parser qwen3",
        UNBUFFERED,
        "/models/Qwen3-235B",
        {
            "/server_info": {
                "model_path": "/models/Qwen3-235B",
                "api_key": "not ours to keep",
                "quantization": "w8a8_fp8",
                "max_total_num_tokens": 30000,
                "version": "0.5.23",
            },
            "/v1/models": {"data": [{"id": "/models/Qwen3-235B", "owned_by": "sglang", "max_model_len": 65536}]},
        },
        Facts("0.5.23", None, "/models/Qwen3-235B", 30000, "w8a8_fp8"),
    ),
    Sample(
        Serve("llamacpp", "/models/Qwen3-8B-UD-Q4_K_XL.gguf", ("-c", "65536", "--parallel", "2")),
        "llama-server -m /models/Qwen3-8B-UD-Q4_K_XL.gguf --host 127.0.0.1 --port 8123 --metrics -c 65536 --parallel 2",
        {},
        None,
        {
            "/props": {
                "default_generation_settings": {"n_ctx": 32768, "params": {"seed": 4294967295}},
                "total_slots": 2,
                "model_path": "/models/Qwen3-8B-UD-Q4_K_XL.gguf",
                "model_ftype": "Q4_K - Medium",
                "chat_template": "{{ messages }}",
                "build_info": "b6940-c0ffee12",
            }
        },
        Facts(None, "b6940-c0ffee12", "/models/Qwen3-8B-UD-Q4_K_XL.gguf", 32768, "Q4_K - Medium", "{{ messages }}"),
    ),
    Sample(
        Serve("llama-cpp-python", "/models/tiny-Q8_0.gguf", ("--n_ctx", "8192")),
        "python3 -m llama_cpp.server --model /models/tiny-Q8_0.gguf --host 127.0.0.1 --port 8123 "
        "--interrupt_requests false --n_ctx 8192",
        {"HOST": "127.0.0.1", "PORT": "8123", **UNBUFFERED},
        "/models/tiny-Q8_0.gguf",
        {"/v1/models": {"data": [{"id": "/models/tiny-Q8_0.gguf", "object": "model", "owned_by": "me"}]}},
        Facts(None, None, "/models/tiny-Q8_0.gguf", 8192),
    ),
    Sample(
        Serve("transformers", "Qwen/Qwen3-8B", ("--device", "cpu", "--quantization", "bnb-4bit")),
        "transformers serve Qwen/Qwen3-8B --host 127.0.0.1 --port 8123 --device cpu --quantization bnb-4bit",
        UNBUFFERED,
        "Qwen/Qwen3-8B",
        {},
        Facts(None, None, "Qwen/Qwen3-8B", None, "bnb-4bit"),
    ),
    Sample(
        Serve("ollama", "llama3.2"),
        "ollama serve",
        {"OLLAMA_HOST": "127.0.0.1:8123", "OLLAMA_KEEP_ALIVE": "-1"},
        "llama3.2",
        {
            "/api/version": {"version": "0.40.12"},
            "/api/ps": {
                "models": [
                    {
                        "name": "llama3.2:latest",
                        "model": "llama3.2:latest",
                        "size": 6591830464,
                        "digest": "c6eb396dbd5992bbe3f5cdb947e8bbc0ee413d7c17e2beaae69f5d569cf982eb",
                        "details": {"format": "gguf", "parameter_size": "3.2B", "quantization_level": "Q4_K_M"},
                        "size_vram": 5333539264,
                        "context_length": 4096,
                    }
                ]
            },
        },
        Facts("0.40.12", None, "llama3.2:latest@c6eb396dbd59", 4096, "Q4_K_M"),
    ),
    Sample(
        Serve("trtllm", "/models/Llama-3.1-8B-NVFP4", ("--tp_size", "2", "--max_seq_len", "16384")),
        "trtllm-serve /models/Llama-3.1-8B-NVFP4 --host 127.0.0.1 --port 8123 --tp_size 2 --max_seq_len 16384",
        UNBUFFERED,
        None,
        {
            "/version": {"version": "1.1.0"},
            "/v1/models": {"data": [{"id": "Llama-3.1-8B-NVFP4", "object": "model", "owned_by": "tensorrt_llm"}]},
        },
        Facts("1.1.0", None, "/models/Llama-3.1-8B-NVFP4", 16384),
    ),
    Sample(
        Serve("tgi", "org/model", ("--num-shard", "2", "--quantize", "awq")),
        "text-generation-launcher --model-id org/model --hostname 127.0.0.1 --port 8123 --num-shard 2 --quantize awq",
        {},
        "org/model",
        {
            "/info": {
                "model_id": "org/model",
                "model_sha": "e985a63cdc139290c5f700ff1929f0b5942cced2",
                "max_input_tokens": 4095,
                "max_total_tokens": 4096,
                "version": "3.3.6",
                "sha": "a1b2c3d",
                "docker_label": "sha-a1b2c3d",
            }
        },
        Facts("3.3.6", "a1b2c3d", "org/model@e985a63cdc139290c5f700ff1929f0b5942cced2", 4096, "awq"),
    ),
    Sample(
        Serve("command", None, ("my-server", "--listen={host}:{port}", '--settings={"model": 1}')),
        'my-server --listen=127.0.0.1:8123 --settings={"model": 1}',
    ),
)
ATTACHED = (
    Sample(
        Serve("lmstudio", "qwen3-8b"),
        "",
        answers={
            "/api/v0/models": {
                "object": "list",
                "data": [
                    {"id": "gemma-3-4b", "quantization": "4bit", "state": "not-loaded", "max_context_length": 131072},
                    {
                        "id": "qwen3-8b",
                        "quantization": "Q4_K_M",
                        "state": "loaded",
                        "max_context_length": 40960,
                        "loaded_context_length": 8192,
                    },
                ],
            }
        },
        facts=Facts(None, None, "qwen3-8b", 8192, "Q4_K_M"),
    ),
)
each_started = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.serve.kind)
each = pytest.mark.parametrize("sample", [*SAMPLES, *ATTACHED], ids=lambda sample: sample.serve.kind)
