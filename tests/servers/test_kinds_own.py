"""What is special about one kind or another."""

from __future__ import annotations

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, quantisation_named
from tests.servers.samples import KINDS, PORT


@pytest.mark.parametrize(
    ("kind", "program", "asks"),
    [
        ("llamacpp", "", "llama-server --version"),
        ("llamacpp", "docker run -p {port}:80 image", "docker run -p 0:80 image --version"),
        ("transformers", "", "transformers version"),
        ("transformers", "/v/bin/transformers serve", "/v/bin/transformers version"),
        ("transformers", "my-wrapper", None),
        ("llama-cpp-python", "", "python3 -c import llama_cpp; print('llama_cpp', llama_cpp.__version__)"),
        ("llama-cpp-python", "my-wrapper", None),
        ("vllm", "", None),
    ],
)
def test_what_prints_the_version(kind: str, program: str, asks: str | None) -> None:
    argv = KINDS[kind].version_argv(Serve(kind, "m", program=tuple(program.split())))
    assert (argv and " ".join(argv)) == asks


@pytest.mark.parametrize(
    ("kind", "printed", "facts"),
    [
        ("llamacpp", "version: 0.5.0-dev (build 1, commit 0c1e570)\nbuilt with GNU", Facts("0.5.0-dev", "b1-0c1e570")),
        ("llamacpp", "ggml_cuda_init: found\nversion: 6940 (c0ffee12)\nbuilt with", Facts("b6940", "b6940-c0ffee12")),
        ("llamacpp", "llama-server: error: no such flag", Facts()),
        ("transformers", "UserWarning: 2.0 is old\n5.23.0\n", Facts("5.23.0")),
        ("transformers", "Traceback (most recent call last):\n", Facts()),
        ("llama-cpp-python", "ggml_metal_init\nllama_cpp 0.3.36\n", Facts("0.3.36")),
        ("llama-cpp-python", "ModuleNotFoundError: No module named 'llama_cpp'", Facts()),
        ("vllm", "0.32.0", Facts()),
    ],
)
def test_the_version_that_was_printed(kind: str, printed: str, facts: Facts) -> None:
    assert KINDS[kind].read_version(printed) == facts


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("vllm serve", "vllm serve org/m --host"),
        ("/v/bin/python -m vllm.entrypoints.cli.main serve", "serve org/m --host"),
        ("python3 -m vllm.entrypoints.openai.api_server", "api_server --model org/m --host"),
        ("docker run --network=host vllm/vllm-openai:latest", "vllm-openai:latest --model org/m --host"),
    ],
)
def test_each_front_door_of_vllm_gets_the_model_as_it_wants_it(program: str, words: str) -> None:
    argv = KINDS["vllm"].launch(Serve("vllm", "org/m", program=tuple(program.split())), PORT).argv
    assert words in " ".join(argv)


@pytest.mark.parametrize(
    ("model", "flag"),
    [
        ("/models/a.gguf", "-m"),
        ("models/a.gguf", "-m"),
        ("./models/a", "-m"),
        ("../models/a", "-m"),
        ("./a", "-m"),
        ("../a", "-m"),
        ("a", "-m"),
        ("ggml-org/gemma-3-1b-it-GGUF", "-hf"),
        ("ggml-org/gemma-3-1b-it-GGUF:Q4_K_M", "-hf"),
    ],
)
def test_llama_server_takes_files_and_repositories(model: str, flag: str) -> None:
    argv = KINDS["llamacpp"].launch(Serve("llamacpp", model), PORT).argv
    assert argv[1:3] == (flag, model)


def test_a_guess_of_llama_server_is_as_good_as_knowing() -> None:
    assert KINDS["llamacpp"].read_facts({"/props": {"model_ftype": "(guessed) F16"}}).quantisation == "F16"


def test_an_older_sglang_is_asked_in_its_own_way() -> None:
    old = {"/get_server_info": {"version": "0.4.6", "model_path": "org/m", "max_total_num_tokens": 999_999}}
    listed = {"/v1/models": {"data": [{"id": "org/m", "max_model_len": 4096}]}}
    assert KINDS["sglang"].read_facts(old | listed) == Facts("0.4.6", None, "org/m", 4096)


def test_vllm_tells_the_weights_behind_another_name() -> None:
    answers = {"/v1/models": {"data": [{"id": "qwen", "root": "/models/Qwen3-30B-A3B", "max_model_len": 40960}]}}
    assert KINDS["vllm"].read_facts(answers) == Facts(model="/models/Qwen3-30B-A3B", context_tokens=40960)


def test_a_folder_that_tgi_serves_has_no_revision() -> None:
    assert KINDS["tgi"].read_facts({"/info": {"model_id": "/models/a", "model_sha": None}}) == Facts(model="/models/a")


@pytest.mark.parametrize(("args", "tokens"), [("--n_ctx 8192", 8192), ("--n_ctx 0", None), ("--n_ctx x", None)])
def test_a_context_that_was_asked_for(args: str, tokens: int | None) -> None:
    serve = Serve("llama-cpp-python", "a.gguf", tuple(args.split()))
    assert KINDS["llama-cpp-python"].read_facts({}, serve).context_tokens == tokens


def test_health_of_sglang_is_not_asked() -> None:
    assert "health" not in KINDS["sglang"].health_path
    assert not any("health" in path for path in KINDS["sglang"].fact_paths)


@pytest.mark.parametrize("kind", ["ollama", "lmstudio"])
def test_of_several_loaded_models_none_is_taken(kind: str) -> None:
    card = {"model": "a", "id": "a", "state": "loaded", "context_length": 1, "loaded_context_length": 1}
    for count, model in ((0, None), (1, "a"), (2, None)):
        answers = {"/api/ps": {"models": [card] * count}, "/api/v0/models": {"data": [card] * count}}
        assert KINDS[kind].read_facts(answers).model == model


@pytest.mark.parametrize(
    ("kind", "args", "quantisation"),
    [
        ("vllm", "-q awq_marlin", "awq_marlin"),
        ("vllm", "--quantization=fp8", "fp8"),
        ("vllm", "--quantization", None),
        ("vllm", "", None),
        ("sglang", "--quantization w8a8_int8", "w8a8_int8"),
        ("transformers", "--quantization bnb-8bit", "bnb-8bit"),
        ("tgi", "--quantize eetq", "eetq"),
    ],
)
def test_the_quantisation_that_was_asked_for(kind: str, args: str, quantisation: str | None) -> None:
    assert KINDS[kind].read_facts({}, Serve(kind, "org/m", tuple(args.split()))).quantisation == quantisation


@pytest.mark.parametrize(
    ("model", "quantisation"),
    [
        ("Qwen3-8B-Q4_K_M.gguf", "Q4_K_M"),
        ("/q/Qwen3-8B-UD-Q2_K_XL.gguf", "UD-Q2_K_XL"),
        ("gpt-oss-20b-mxfp4.gguf", "mxfp4"),
        ("Phi-3-mini-4k-instruct-q4.gguf", "q4"),
        ("llama-3-8b.IQ4_XS.gguf", "IQ4_XS"),
        ("ggml-org/gemma-3-1b-it-GGUF:Q8_0", "Q8_0"),
        ("model-f16.gguf", "f16"),
        ("Qwen/Qwen3-30B-A3B-GPTQ-Int4", "GPTQ-Int4"),
        ("Qwen/Qwen2.5-72B-Instruct-AWQ", "AWQ"),
        ("cpatonn/Model-AWQ-4bit", "AWQ-4bit"),
        ("RedHatAI/Qwen3-32B-FP8-dynamic", "FP8-dynamic"),
        ("nvidia/DeepSeek-R1-NVFP4", "NVFP4"),
        ("RedHatAI/Llama-3.3-70B-quantized.w4a16", "w4a16"),
        ("mlx-community/Qwen3-8B-4bit", "4bit"),
        ("Q4_K_M/model.gguf", None),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", None),
        ("openai/gpt-oss-120b", None),
        ("finance-2024-Q3", None),
        ("bit-llama-8", None),
        ("", None),
        (None, None),
    ],
)
def test_the_quantisation_that_a_name_tells(model: str | None, quantisation: str | None) -> None:
    assert quantisation_named(model) == quantisation


def test_a_command_says_where_it_listens() -> None:
    command = KINDS["command"]
    with pytest.raises(UsageFault, match=r"^command: none of its words tells the server where to listen"):
        command.launch(Serve("command", args=("my-server", "--fast")), PORT)
    assert command.launch(Serve("command", args=("my-server",), port=9000), 9000).argv == ("my-server",)
    in_program = Serve("command", args=("--fast",), program=("env", "PORT={port}", "my-server"))
    assert command.launch(in_program, PORT).argv == ("env", "PORT=8123", "my-server", "--fast")
    with pytest.raises(UsageFault, match="wanted the words of a command line, got none"):
        command.launch(Serve("command"), PORT)


def test_lm_studio_is_only_asked() -> None:
    with pytest.raises(UsageFault, match=r"^lmstudio: cannot be started from here; .*`lms server start`, then name"):
        KINDS["lmstudio"].launch(Serve("lmstudio", "qwen3-8b"), PORT)
