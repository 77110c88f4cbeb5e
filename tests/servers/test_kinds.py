"""Every kind by the same questions; what is special about one stands in the table at the top."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_type_hints

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, quantisation_named
from pytest_llmbench.servers.registry import OWN, kind_named, kinds

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


def launch(sample: Sample, **changes: Any) -> Launch:
    return sample.kind.launch(replace(sample.serve, **changes), PORT)


def test_each_kind_has_a_sample() -> None:
    assert {sample.serve.kind for sample in (*SAMPLES, *ATTACHED)} == set(KINDS) == {kind.name for kind in OWN}


@each_started
def test_the_words_that_start_it(sample: Sample) -> None:
    assert " ".join(launch(sample).argv) == sample.words
    assert launch(sample).env == sample.env


@each_started
def test_it_listens_where_it_is_told(sample: Sample) -> None:
    started = launch(sample, host="192.0.2.7")
    said = " ".join((*started.argv, *started.env.values()))
    assert "192.0.2.7" in said
    assert str(PORT) in said


@each_started
def test_another_program_takes_the_place_of_its_own(sample: Sample) -> None:
    other = ("/opt/other/bin/python", "-m", "serve")
    argv = launch(sample, program=other).argv
    assert argv[:3] == other
    assert argv[3:] == launch(sample).argv[len(sample.kind.program) :]


@each_started
def test_the_words_of_the_user_come_last_with_port_host_and_model_filled_in(sample: Sample) -> None:
    argv = launch(sample, model="the/model", args=("--at={host}:{port}", "{model}", "{other}", '{"port": 1}')).argv
    assert argv[-4:] == ("--at=127.0.0.1:8123", "the/model", "{other}", '{"port": 1}')


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in OWN for name in kind.keys])
def test_what_a_key_of_serve_says_cannot_be_said_twice(kind: ServerKind, name: str) -> None:
    key = kind.keys[name]
    spelled = [replace(Serve(kind.name, "m"), args=args) for args in ((name, "x"), (f"{name}=x",), ("-v", name, "x"))]
    if name.isupper():
        spelled = [Serve(kind.name, "m", env={name: "x"})]
    elif name.startswith("--"):
        spelled.append(Serve(kind.name, "m", args=(f"--{name[2:].replace('-', '_')}", "x")))
    for serve in spelled:
        with pytest.raises(UsageFault, match=rf"^{kind.name}: got {name} among args or env; use the key `{key}` of "):
            kind.launch(serve, PORT)


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.serve.model], ids=lambda s: s.serve.kind)
def test_no_server_chooses_a_model_itself(sample: Sample) -> None:
    for nothing in (None, ""):
        with pytest.raises(UsageFault, match=rf"^{sample.serve.kind}: wanted a model, got none; use "):
            launch(sample, model=nothing)


@each_started
def test_the_id_that_is_known_beforehand(sample: Sample) -> None:
    assert sample.kind.wanted_model(sample.serve) == sample.wanted


@pytest.mark.parametrize(
    ("kind", "args", "wanted"),
    [
        ("vllm", "--served-model-name qwen other", "qwen"),
        ("vllm", "--served_model_name=qwen", "qwen"),
        ("vllm", "--served-model-name first --served-model-name last", "last"),
        ("vllm", "--config settings.yaml", None),
        ("sglang", "--served-model-name qwen", "qwen"),
        ("sglang", "--config settings.yaml", None),
        ("llamacpp", "--alias qwen,other", "qwen"),
        ("llamacpp", "-a qwen", "qwen"),
        ("llamacpp", "-a", None),
        ("llama-cpp-python", "--model_alias qwen", "qwen"),
        ("trtllm", "--served_model_name qwen", "qwen"),
    ],
)
def test_the_id_that_the_user_chose(kind: str, args: str, wanted: str | None) -> None:
    assert KINDS[kind].wanted_model(Serve(kind, "a/model", tuple(args.split()))) == wanted


@each
def test_what_the_server_tells(sample: Sample) -> None:
    assert set(sample.answers) <= set(sample.kind.fact_paths)
    assert sample.kind.read_facts(sample.answers, sample.serve) == sample.facts


@each
def test_of_a_server_that_somebody_else_started_its_answers_tell(sample: Sample) -> None:
    told, with_words = sample.kind.read_facts(sample.answers), sample.facts
    assert (told.version, told.build, told.chat_template) == (
        with_words.version,
        with_words.build,
        with_words.chat_template,
    )
    assert (told.model is None) == (not sample.answers)
    assert told.context_tokens in {None, with_words.context_tokens}
    assert told.quantisation in {None, with_words.quantisation}


@each
def test_a_server_that_tells_nothing_is_unknown(sample: Sample) -> None:
    assert sample.kind.read_facts({}) == Facts()


@each
def test_answers_of_any_other_shape_are_no_fault_and_no_fact(sample: Sample) -> None:
    hints = get_type_hints(Facts)
    for answers in (*bent(sample.answers), *({path: junk} for path in sample.kind.fact_paths for junk in JUNK)):
        facts = sample.kind.read_facts(answers, sample.serve)
        for name, hint in hints.items():
            value = getattr(facts, name)
            assert isinstance(value, hint), (name, value, answers)
            assert value is not True, (name, answers)
            assert value is None or value, f"{name} is {value!r}, wanted None for what is not known"


JUNK: tuple[Any, ...] = (None, [], {}, "", " ", "x", 0, -1, 1.5, True, [None], [[]], {"data": {"0": 1}})


def bent(tree: Any) -> Iterator[Any]:
    """Every tree that has junk in one place of this one."""
    inner = tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        for junk in (*JUNK, *bent(value)):
            copy = json.loads(json.dumps(tree))
            copy[key] = junk
            yield copy


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


def test_paths_begin_at_the_root() -> None:
    for kind in OWN:
        paths = (kind.health_path, kind.api_path, *kind.fact_paths, kind.metrics_path or "/")
        assert all(path.startswith("/") for path in paths), kind.name


def test_no_two_kinds_answer_to_one_owner() -> None:
    owners = [owner for kind in OWN for owner in kind.owned_by]
    assert len(owners) == len(set(owners))


class Mine(ServerKind):
    """Of somebody else."""

    name = "vllm"

    def launch(self, serve: Serve, port: int) -> Launch:
        return Launch(self.argv(serve, port, "mine"))


def test_kinds_of_others_come_to_ours_and_may_replace_them() -> None:
    mine = Mine()
    known = kinds([mine])
    assert kind_named(known, "vllm", "here") is mine
    assert set(known) == set(KINDS)


def test_a_kind_of_that_name_must_exist() -> None:
    with pytest.raises(UsageFault, match=r"^models.yaml:3: no server kind 'vlm'; there are command, .*vllm$"):
        kind_named(KINDS, "vlm", "models.yaml:3")


def test_a_class_is_not_taken_for_a_kind() -> None:
    with pytest.raises(UsageFault, match="wanted instances of ServerKind, got <class"):
        kinds([Mine])  # type: ignore[list-item]


@pytest.mark.parametrize("name", [None, "", "my kind", "a:b", 3])
def test_a_kind_that_cannot_be_typed_is_refused(name: Any) -> None:
    class Nameless(Mine):
        pass

    Nameless.name = name
    with pytest.raises(UsageFault, match=r"server_kinds: Nameless\.name: wanted letters, digits, .*, got "):
        kinds([Nameless()])
