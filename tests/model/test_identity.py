from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_llmbench.model.endpoint import Endpoint, Gpu, Sampling, ServerInfo
from pytest_llmbench.model.identity import options, steering_env, steering_words, steers
from pytest_llmbench.model.serving import Cause, Failure, Phase

SERVER = ServerInfo(
    kind="llamacpp",
    version="b7",
    command=("llama-server", "-m", "/models/a.gguf", "--port", "{port}", "--ctx-size", "8192"),
    env={"CUDA_VISIBLE_DEVICES": "0", "LLAMA_LOG_FILE": "/tmp/1.log"},  # noqa: S108
    model="/models/a.gguf",
    model_sha256="aa",
    gpus=(Gpu("H100", 80, "550"),),
    load_s=3.0,
    memory_peak_bytes=7,
    metrics={"requests": 1.0},
    log="servers/a-1.log",
)
ENDPOINT = Endpoint("a", "http://127.0.0.1:8000/v1", "a.gguf", server=SERVER)


def moved(path: str) -> Endpoint:
    command = tuple(path if word == SERVER.model else word for word in SERVER.command or ())
    return replace(ENDPOINT, model=path, server=replace(SERVER, model=path, command=command))


@pytest.mark.parametrize(
    "same",
    [
        replace(ENDPOINT, name="b", url="http://127.0.0.1:9000/v1", problem="x"),
        replace(ENDPOINT, server=replace(SERVER, load_s=9.0, memory_peak_bytes=8, metrics=None, log="b")),
        replace(ENDPOINT, server=replace(SERVER, failure=Failure(Phase.SERVING, Cause.KILLED, None, "x"))),
        replace(ENDPOINT, server=replace(SERVER, env={"CUDA_VISIBLE_DEVICES": "0", "LLAMA_LOG_FILE": "/b"})),
        replace(ENDPOINT, server=replace(SERVER, env=SERVER.env | {"HF_TOKEN": "<redacted>"})),  # type: ignore[operator]
        replace(ENDPOINT, server=replace(SERVER, command=(*SERVER.command, "--log-file", "x", "--nccl-port", "9", "--api-key", "<redacted>"))),  # type: ignore[misc]
        moved("/elsewhere/b.gguf"),
    ],
)  # fmt: skip
def test_where_it_runs_and_how_it_went_is_not_in_the_fingerprint(same: Endpoint) -> None:
    assert same.fingerprint == ENDPOINT.fingerprint


@pytest.mark.parametrize(
    "other",
    [
        replace(ENDPOINT, sampling=Sampling(temperature=0.5)),
        replace(ENDPOINT, extra_body={"min_p": 0.1}),
        replace(ENDPOINT, metadata={"tp": 2}),
        replace(ENDPOINT, model="an-adapter"),
        replace(ENDPOINT, server=replace(SERVER, version="b8")),
        replace(ENDPOINT, server=replace(SERVER, model_sha256="bb")),
        replace(ENDPOINT, server=replace(SERVER, gpus=(*SERVER.gpus, Gpu("H100", 80, "550")))),  # type: ignore[misc]
        replace(ENDPOINT, server=replace(SERVER, env={"CUDA_VISIBLE_DEVICES": "1"})),
        replace(ENDPOINT, server=replace(SERVER, command=(*SERVER.command, "--flash-attn"))),  # type: ignore[misc]
    ],
)  # fmt: skip
def test_what_can_change_answers_is(other: Endpoint) -> None:
    assert other.fingerprint != ENDPOINT.fingerprint


def test_a_path_counts_where_nobody_knows_what_lies_there() -> None:
    unknown = replace(ENDPOINT, server=replace(SERVER, model_sha256=None))
    elsewhere = moved("/elsewhere/b.gguf")
    assert replace(elsewhere, server=replace(elsewhere.server, model_sha256=None)).fingerprint != unknown.fingerprint


def test_options_with_their_values() -> None:
    words = ("python", "-m", "x", "--seed", "-1", "--a=b=c", "--flag", "-q", "k", "l")
    assert options(words) == (
        ("python",), ("-m", "x"), ("--seed", "-1"), ("--a", "b=c"), ("--flag",), ("-q", "k", "l"),
    )  # fmt: skip


def test_words_that_change_nothing() -> None:
    words = (
        "serve model --port=1 --host 0.0.0.0 --log-disable --uvicorn-log-level info --logit-bias x --tp 2 --log-file f"
    )
    assert steering_words(words.split()) == ("serve", "model", "--logit-bias", "x", "--tp", "2")


def test_variables_that_change_nothing() -> None:
    aside = [
        "LLAMA_LOG_FILE",
        "VLLM_LOGGING_LEVEL",
        "OLLAMA_HOST",
        "PORT",
        "HF_HOME",
        "HF_HUB_CACHE",
        "TRITON_CACHE_DIR",
    ]
    kept = ["VLLM_CPU_KVCACHE_SPACE", "SGLANG_ENABLE_RADIX_CACHE", "VLLM_LOGITS_PROCESSOR", "LLAMA_ARG_CTX_SIZE"]
    assert list(steering_env(dict.fromkeys((*aside, *kept), "1"))) == sorted(kept)


def test_inherited_variables_that_steer_servers() -> None:
    assert all(map(steers, ("CUDA_VISIBLE_DEVICES", "LLAMA_ARG_CTX_SIZE", "VLLM_USE_V1", "OMP_NUM_THREADS")))
    assert not any(map(steers, ("PATH", "HOME", "HF_TOKEN", "LLMBENCH_API_KEY", "PYTEST_CURRENT_TEST")))
