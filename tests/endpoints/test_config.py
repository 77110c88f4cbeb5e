"""models.yaml as a whole: what it holds, and what it says of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmbench.endpoints.config import ModelsFile, load_models_file
from pytest_llmbench.endpoints.shape import SamplingConfig, ServeConfig
from pytest_llmbench.errors import UsageFault

EVERYTHING = """\
defaults:
  api_key_env: KEY
x-shared:
  serve: &shared {kind: vllm, env: {CUDA_VISIBLE_DEVICES: 0}}
endpoints:
  one:
    serve:
      <<: *shared
      model: org/one
      args: [--gpu-memory-utilization, 0.90, --flag, on, --port, 0x10]
      program: /opt/python -m 'a b'
      port: 8001
      host: 0.0.0.0
      resource: [gpu0, 1]
      ready_timeout_s: 5
      stop_timeout_s: 0.5
      restarts: 2
    sampling: {temperature: 1, top_p: 0.5, max_tokens: 7, seed: -1}
    context_tokens: 4096
    metadata: {quantisation: fp8, started: 2026-11-21, anything: [1, {a: ~}]}
  two:
    url: http://h/v1
    api_key_env: null
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models.yaml"


def load(path: Path, text: str) -> ModelsFile:
    path.write_text(text)
    return load_models_file(path)


def test_everything_that_can_stand_there_is_read(path: Path) -> None:
    models = load(path, EVERYTHING)
    assert list(models.endpoints) == ["one", "two"]
    one = models.endpoints["one"].config
    assert one.serve == ServeConfig(
        kind="vllm",
        model="org/one",
        args=("--gpu-memory-utilization", "0.90", "--flag", "on", "--port", "0x10"),
        env={"CUDA_VISIBLE_DEVICES": "0"},
        program="/opt/python -m 'a b'",
        port=8001,
        host="0.0.0.0",  # noqa: S104 - read, not listened on
        resource=("gpu0", "1"),
        ready_timeout_s=5.0,
        stop_timeout_s=0.5,
        restarts=2,
    )
    assert one.sampling == SamplingConfig(temperature=1.0, top_p=0.5, max_tokens=7, seed=-1)
    assert (one.api_key_env, one.context_tokens) == ("KEY", 4096)
    assert one.metadata == {"quantisation": "fp8", "started": "2026-11-21", "anything": [1, {"a": None}]}
    assert models.endpoints["two"].config.api_key_env is None


@pytest.mark.parametrize("text", ["", "endpoints: {}", "# only this", "x-notes: [1]"])
def test_a_file_without_endpoints_is_none(path: Path, text: str) -> None:
    assert load(path, text) == ModelsFile({}, {})


ENTRY = "endpoints:\n  qwen:\n    "
SERVE = ENTRY + "serve:\n      kind: vllm\n      "


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SERVE + "port: abc", "5: endpoints.qwen.serve.port: wanted an integer of at least 1 and at most 65535, got 'abc'"),
        (SERVE + "port: 70000", "5: endpoints.qwen.serve.port: wanted an integer of at least 1 and at most 65535, got 70000"),
        (SERVE + "port: '8000'", "5: endpoints.qwen.serve.port: wanted an integer of at least 1 and at most 65535, got '8000'"),
        (SERVE + "port: yes", "5: endpoints.qwen.serve.port: wanted an integer of at least 1 and at most 65535, got yes"),
        (SERVE + "prot: 8000", "5: endpoints.qwen.serve.prot: unknown key; did you mean 'port'?"),
        (SERVE + "arg+: a", "5: endpoints.qwen.serve.arg+: unknown key; did you mean 'args+'?"),
        (SERVE + "model: ''", "5: endpoints.qwen.serve.model: wanted a text, got ''"),
        (SERVE + "args: 3", "5: endpoints.qwen.serve.args: wanted a text or a list, got 3"),
        (SERVE + "args:\n        - a\n        - [b]", "7: endpoints.qwen.serve.args[1]: wanted a text, got a list"),
        (SERVE + "args:\n        - a\n        -", "7: endpoints.qwen.serve.args[1]: wanted a text, got nothing"),
        (SERVE + "env: [A]", "5: endpoints.qwen.serve.env: wanted a mapping, got a list"),
        (SERVE + "env: {A: {}}", "5: endpoints.qwen.serve.env.A: wanted a text, got a mapping"),
        (SERVE + "ready_timeout_s: 0", "5: endpoints.qwen.serve.ready_timeout_s: wanted a number above 0, got 0"),
        (SERVE + "restarts: -1", "5: endpoints.qwen.serve.restarts: wanted an integer of at least 0, got -1"),
        (SERVE + "restarts: 1.5", "5: endpoints.qwen.serve.restarts: wanted an integer of at least 0, got 1.5"),
        (ENTRY + "serve: vllm", "3: endpoints.qwen.serve: wanted a mapping, got something else"),
        (ENTRY + "serve: {model: m}", "3: endpoints.qwen.serve: wanted a kind, such as vllm or llamacpp, got none"),
        (ENTRY + "port: 1", "3: endpoints.qwen.port: unknown key; did you mean 'serve.port'?"),
        (ENTRY + "temperatur: 1", "3: endpoints.qwen.temperatur: unknown key; did you mean 'sampling.temperature'?"),
        (ENTRY + "zzz: 1", "3: endpoints.qwen.zzz: unknown key; wanted one of url, kind, serve, model, api_key_env, "),
        (ENTRY + "sampling: {top_p: 0}", "3: endpoints.qwen.sampling.top_p: wanted a number above 0 and at most 1, got 0"),
        (ENTRY + "sampling: {temperature: -1}", "3: endpoints.qwen.sampling.temperature: wanted a number of at least 0, got -1"),
        (ENTRY + "metadata: 3", "3: endpoints.qwen.metadata: wanted a mapping, got 3"),
        (ENTRY + "context_tokens: 32k", "3: endpoints.qwen.context_tokens: wanted an integer of at least 1, got '32k'"),
        (ENTRY + "model: m", "2: endpoints.qwen: wanted url (a running server) or serve (one to start), got neither"),
        (ENTRY + "url: u\n    serve: {kind: k}", "4: endpoints.qwen.serve: wanted url or serve, got both (url at line 3)"),
        (ENTRY + "serve: {kind: k}\n    kind: k", "4: endpoints.qwen.kind: stands beside url only"),
        (ENTRY + "url: u\n    url: v", "4: endpoints.qwen.url: already at line 3"),
        (ENTRY + "url: u\n    variants:\n      b:\n        url: 3", "6: endpoints.qwen.variants.b.url: wanted a text, got 3"),
        (ENTRY + "url: u\n    variants:\n      b: {variants: {}}", "5: endpoints.qwen.variants.b.variants: unknown key"),
        (ENTRY + "url: u\n    variants:\n      b c: {}", "5: endpoints.qwen.variants.b c: bad endpoint name 'qwen-b c'"),
        (ENTRY + "url: u\n    variants:\n      s2:", "5: endpoints.qwen.variants.s2: an endpoint name cannot end in '-s<number>'"),
        (ENTRY + "url: u\n    variants: [a]", "4: endpoints.qwen.variants: wanted a mapping, got a list"),
        (ENTRY + "url: u\n    matrix:\n      kv: [8, 16]", "5: endpoints.qwen.matrix.kv: wanted a mapping, got a list"),
        (ENTRY + "url: u\n    matrix:\n      kv: {}", "5: endpoints.qwen.matrix.kv: wanted at least one name"),
        (ENTRY + "model: m\n    variants:\n      a: {url: u}\n      b: {}", "6: endpoints.qwen.variants.b: wanted url"),
        (ENTRY + "url: u\n    variants:\n      a:\n  qwen-a: {url: u}", "6: endpoints.qwen-a: there is already an endpoint 'qwen-a', at line 5"),
        ("endpoints:\n  qwen-a: {url: u, variants: {b: }}\n  qwen:\n    url: u\n    variants:\n      a:", "6: endpoints.qwen.variants.a: there is already an endpoint 'qwen-a', at line 2"),
        ("endpoints:\n  qwen:", "2: endpoints.qwen: wanted a mapping, got nothing"),
        ("defaults:\n  serve: {prot: 1}\nendpoints: {}", "2: defaults.serve.prot: unknown key; did you mean 'port'?"),
        ("defaults:\n  serve: {}\n  url: u\nendpoints:\n  a: {}", "2: defaults.serve: wanted url or serve, got both (url at line 3)"),
        ("models: {}", "1: models: unknown key; wanted one of endpoints, defaults"),
        ("- a", "1: wanted a mapping with 'endpoints', got something else"),
        ("a: [", "1: not YAML: "),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line_with_its_place(path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageFault) as caught:
        load(path, text)
    assert str(caught.value).startswith(f"{path}:{says}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (ENTRY + "{url: u, api_key_env: sk-123}", "wanted the name of an environment variable, got something else"),
        (SERVE + "env: HF_TOKEN=sk-123", "5: endpoints.qwen.serve.env: wanted a mapping, got something else"),
        (SERVE + "env: {HF_TOKEN=sk-123}", "5: endpoints.qwen.serve.env.HF_TOKEN: wanted a text, got nothing"),
        (
            ENTRY + "serve: vllm serve m --api-key sk-123",
            "3: endpoints.qwen.serve: wanted a mapping, got something else",
        ),
        ("endpoints:\n  qwen: http://me:sk-123@h/v1", "2: endpoints.qwen: wanted a mapping, got something else"),
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageFault) as caught:
        load(path, text)
    assert says in str(caught.value)
    assert "sk-123" not in str(caught.value)


def test_nothing_behind_a_key_takes_back_what_it_would_inherit(path: Path) -> None:
    serve = "kind: vllm, args: -a, env: {A: 1}, program: p, port: 1, host: h, resource: gpu0, ready_timeout_s: 1, restarts: 1"
    keys = ("args", "env", "program", "port", "host", "resource", "ready_timeout_s", "restarts")
    text = f"defaults:\n  sampling: {{top_p: 0.5}}\n  metadata: {{a: 1}}\n  serve: {{{serve}}}\nendpoints:\n  a: {{}}\n"
    taken_back = "  b:\n    sampling:\n    metadata:\n    serve:\n" + "".join(f"      {key}:\n" for key in keys)
    endpoints = load(path, text + taken_back).endpoints
    assert endpoints["a"].config.serve != ServeConfig(kind="vllm")
    assert endpoints["b"].config.serve == ServeConfig(kind="vllm")
    assert endpoints["b"].config.sampling == SamplingConfig()
    assert endpoints["b"].config.metadata == {}


def test_a_mistake_in_what_an_anchor_holds_is_told_where_it_is_written(path: Path) -> None:
    with pytest.raises(UsageFault, match=r":2: endpoints\.a\.serve\.port: wanted an integer"):
        load(path, "x-a: &a\n  port: abc\nendpoints:\n  a:\n    serve:\n      <<: *a\n      kind: k")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match=r"cannot read it: Is a directory; name another file with --llm-config"):
        load_models_file(tmp_path)
