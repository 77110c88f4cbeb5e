from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from pytest_llmbench.endpoints.resolve import Context, resolve_all
from pytest_llmbench.errors import EndpointError, UsageFault
from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.model.endpoint import Endpoint, Sampling
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Launch, ServerKind, only_attach

URL = "http://127.0.0.1:8000/v1"
Make = Callable[..., tuple[Endpoint, ...]]


@pytest.fixture
def resolve(tmp_path: Path) -> Make:
    def resolve(
        *texts: str,
        models: Sequence[str] | EndpointError = ("org/tiny",),
        environment: Mapping[str, str] | None = None,
        config: str | None = None,
    ) -> tuple[Endpoint, ...]:
        def discover(_url: str, _key: str | None) -> Sequence[str]:
            if isinstance(models, EndpointError):
                raise models
            return models

        path = tmp_path / "models.yaml"
        if config is not None:
            path.write_text(config)
        context = Context(Sampling(max_tokens=99), path, environment or {}, discover, folder=tmp_path / "here")
        return resolve_all(texts, context)

    return resolve


def test_the_model_is_discovered_and_names_the_endpoint(resolve: Make) -> None:
    (endpoint,) = resolve(URL)
    assert (endpoint.name, endpoint.model, endpoint.url) == ("tiny", "org/tiny", URL)
    assert endpoint.sampling == Sampling(temperature=0.0, top_p=1.0, max_tokens=99)


def test_several_models_are_listed_with_the_way_to_choose(resolve: Make) -> None:
    with pytest.raises(UsageFault, match=r"serves 2 models; choose one with .*#MODEL.*: big, small"):
        resolve(URL, models=("big", "small"))


def test_several_models_of_a_url_in_the_file_are_told_with_its_line(resolve: Make) -> None:
    with pytest.raises(
        UsageFault, match=r"models\.yaml:1: endpoints\.m\.url: http://.* serves 2 models; .*: big, small$"
    ):
        resolve("m", models=("big", "small"), config=f"endpoints: {{m: {{url: '{URL}'}}}}")


def test_a_chosen_model_needs_no_discovery(resolve: Make) -> None:
    (endpoint,) = resolve(f"{URL}#small", models=EndpointError("must not be asked"))
    assert (endpoint.model, endpoint.name, endpoint.problem) == ("small", "small", None)


def test_an_endpoint_that_does_not_answer_is_kept_with_its_problem(resolve: Make) -> None:
    (endpoint,) = resolve(URL, models=EndpointError("connection refused"))
    assert (endpoint.name, endpoint.model, endpoint.problem) == ("127.0.0.1-8000", None, "connection refused")


def test_two_endpoints_of_one_name_are_refused(resolve: Make) -> None:
    with pytest.raises(UsageFault, match=r"already an endpoint named 'tiny'.*NAME="):
        resolve(URL, "http://127.0.0.1:9000/v1")
    assert [one.name for one in resolve(f"a={URL}", f"b={URL}")] == ["a", "b"]


def test_a_name_is_looked_up_in_models_yaml(resolve: Make) -> None:
    (endpoint,) = resolve(
        "coder",
        environment={"KEY": "k"},
        config=f"""
endpoints:
  coder:
    url: {URL}/
    model: org/coder
    api_key_env: KEY
    sampling: {{temperature: 0.2, seed: 7}}
    chat_template_kwargs: {{enable_thinking: false}}
    extra_body: {{min_p: 0.1}}
    metadata: {{quantisation: Q4_K_M}}
""",
    )
    assert (endpoint.url, endpoint.model, endpoint.api_key_env) == (URL, "org/coder", "KEY")
    assert endpoint.sampling == Sampling(temperature=0.2, top_p=1.0, max_tokens=99, seed=7)
    assert endpoint.extra_body == {"min_p": 0.1, "chat_template_kwargs": {"enable_thinking": False}}
    assert endpoint.metadata == {"quantisation": "Q4_K_M"}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (None, "does not exist"),
        ("endpoints: [", "not YAML"),
        ("endpoints: 3", "wanted a mapping, got 3"),
        ("endpoints: {m: {url: 3}}", "wanted a text, got 3"),
        ("endpoints: {m: {url: 'http://h/v1', temprature: 1}}", "did you mean 'sampling.temperature'?"),
        ("endpoints: {m: {url: 'http://h/v1', kind: vlm}}", ":1: endpoints.m.kind: no server kind 'vlm'; there are "),
        ("endpoints: {m: {serve: {kind: vlm}}}", ":1: endpoints.m.serve.kind: no server kind 'vlm'; there are "),
        ("endpoints: {m: {serve: {kind: command}}}", ":1: endpoints.m.serve: command: wanted the words"),
        ('endpoints: {m: {serve: {kind: command, args: "\'"}}}', ":1: endpoints.m.serve: cannot be split into words"),
        (
            "endpoints: {m: {serve: {kind: command, args: 'x {port}'}, api_key_env: NOT_SET}}",
            ":1: endpoints.m.api_key_env: the environment variable NOT_SET is not set",
        ),
        ("endpoints: {m: {url: 'replay:x'}}", ":1: endpoints.m.url: wanted a URL that begins with http://"),
        ("endpoints: {other: {url: 'http://h/v1'}}", "it has: other"),
        ("endpoints: {mm: {url: 'http://h/v1'}}", "did you mean mm? it has: mm"),
        ("", "it has: none"),
        ("endpoints: {m: {url: 'http://h/v1', api_key_env: NOT_SET}}", ":1: endpoints.m.api_key_env: the environment"),
        ("endpoints: {m: {url: 'http://me:secret@h/v1'}}", ":1: endpoints.m.url: a password or query in the URL"),
        ("endpoints: {m: {url: 'http://me:secret/@h/v1'}}", ":1: endpoints.m.url: bad URL"),
        ("endpoints: {m: {serve: {kind: command, args: serve --key secret}}}", ":1: endpoints.m.serve: command: none"),
        ("endpoints: {'a b': {url: 'http://h/v1'}}", "bad endpoint name 'a b'"),
    ],
)
def test_a_models_yaml_that_cannot_be_meant_is_told_in_one_line(resolve: Make, config: str | None, says: str) -> None:
    with pytest.raises(UsageFault) as caught:
        resolve("m", config=config)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_key_variable_of_a_plain_url_is_used_when_set(resolve: Make) -> None:
    (endpoint,) = resolve(URL, environment={"LLMBENCH_API_KEY": "sk-1"})
    assert endpoint.api_key_env == "LLMBENCH_API_KEY"
    assert "sk-1" not in repr(endpoint)


def test_an_empty_key_variable_is_none(resolve: Make) -> None:
    (endpoint,) = resolve(URL, environment={"LLMBENCH_API_KEY": ""})
    assert endpoint.api_key_env is None


def test_the_url_in_models_yaml_may_choose_the_model(resolve: Make) -> None:
    config = f"endpoints: {{coder: {{url: '{URL}#small'}}}}"
    (endpoint,) = resolve("coder", config=config, models=("big", "small"))
    assert (endpoint.url, endpoint.model) == (URL, "small")


def test_a_server_to_start_is_not_asked(resolve: Make) -> None:
    never = EndpointError("must not be asked")
    (endpoint,) = resolve("llamacpp:org/tiny", models=never, environment={"LLMBENCH_API_KEY": "sk-1"})
    assert (endpoint.name, endpoint.url, endpoint.model, endpoint.problem) == ("tiny", None, None, None)
    assert endpoint.server.kind == "llamacpp"
    assert endpoint.serve is not None
    assert endpoint.serve.model == "org/tiny"
    assert endpoint.api_key_env is None
    assert endpoint.sampling == Sampling(max_tokens=99)


def test_a_path_on_the_command_line_begins_where_the_user_is(resolve: Make, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "model.gguf").touch()
    (endpoint,) = resolve("new=llamacpp:model.gguf")
    assert endpoint.name == "new"
    assert endpoint.serve is not None
    assert (endpoint.serve.model, endpoint.serve.folder) == (str(here / "model.gguf"), str(here))


def test_a_command_is_split_into_words(resolve: Make) -> None:
    (endpoint,) = resolve("command:/opt/run 'a b' --port {port}")
    assert endpoint.name == "run"
    assert endpoint.serve is not None
    assert endpoint.serve.args == ("/opt/run", "a b", "--port", "{port}")
    assert endpoint.serve.model is None
    with pytest.raises(UsageFault, match=r"^--llm-endpoint=command:'a: cannot be split into words: no closing"):
        resolve("command:'a")


def test_what_the_kind_refuses_is_told_with_what_was_typed(tmp_path: Path) -> None:
    class Attached(ServerKind):
        name = "attached"

        def launch(self, serve: Serve, port: int) -> Launch:
            raise only_attach(self.name, f"start {serve.model}, not on {port}")

    def discover(_url: str, _key: str | None) -> Sequence[str]:
        raise AssertionError

    context = Context(Sampling(), tmp_path / "models.yaml", {}, discover, {"attached": Attached()})
    with pytest.raises(
        UsageFault, match=r"^--llm-endpoint=attached:m: attached: cannot be started from here; start m,"
    ):
        resolve_all(["attached:m"], context)
    with pytest.raises(UsageFault, match=r"no server kind 'llamacpp'; there are attached; or use"):
        resolve_all(["llamacpp:m"], context)


SEVERAL = f"""
defaults:
  sampling: {{seed: 3}}
endpoints:
  tiny:
    serve: {{kind: llamacpp, model: ./tiny.gguf, args: -c 512}}
    model: asked-for
    metadata: {{notes: both}}
    variants:
      plain: {{}}
      kv8: {{serve: {{args+: [-ctk, q8_0]}}, metadata: {{kv_cache: q8_0}}}}
  lab: {{url: '{URL}', kind: llamacpp}}
"""


def test_an_entry_with_variants_stands_for_all_of_them(resolve: Make, tmp_path: Path) -> None:
    plain, kv8 = resolve("tiny", config=SEVERAL)
    assert (plain.name, kv8.name) == ("tiny-plain", "tiny-kv8")
    assert plain.serve is not None
    assert kv8.serve is not None
    assert plain.serve.args == ("-c", "512")
    assert kv8.serve.args == ("-c", "512", "-ctk", "q8_0")
    assert {one.serve.model for one in (plain, kv8) if one.serve} == {str(tmp_path / "tiny.gguf")}
    assert plain.serve.folder == str(tmp_path)
    assert (kv8.model, kv8.sampling.seed) == ("asked-for", 3)
    assert kv8.metadata == {"notes": "both", "kv_cache": "q8_0"}
    assert plain.fingerprint != kv8.fingerprint
    assert resolve("tiny-kv8", config=SEVERAL) == (kv8,)
    with pytest.raises(UsageFault, match="there is already an endpoint named 'tiny-kv8'"):
        resolve("tiny", "tiny-kv8", config=SEVERAL)


def test_a_running_server_may_say_what_it_is(resolve: Make) -> None:
    (endpoint,) = resolve("lab", config=SEVERAL)
    assert (endpoint.url, endpoint.serve, endpoint.server.kind) == (URL, None, "llamacpp")
    assert endpoint.sampling.seed == 3


def test_an_endpoint_survives_the_way_to_a_worker(resolve: Make) -> None:
    (endpoint,) = resolve("tiny-kv8", config=SEVERAL)
    again = decode(encode(endpoint), Endpoint)
    assert (again, again.fingerprint) == (endpoint, endpoint.fingerprint)


def test_a_replay_folder_must_exist(resolve: Make, tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="no such folder"):
        resolve(f"replay:{tmp_path}/none")
    (endpoint,) = resolve(f"replay:{tmp_path}")
    assert endpoint.replay == str(tmp_path)


def test_one_endpoint_of_a_run_folder_is_chosen(resolve: Make, tmp_path: Path) -> None:
    for name in ("new", "old"):
        (tmp_path / "completions" / name).mkdir(parents=True)
    with pytest.raises(UsageFault, match=r"choose one of its endpoints with .*#ENDPOINT: new, old"):
        resolve(f"replay:{tmp_path}")
    (endpoint,) = resolve(f"replay:{tmp_path}#old")
    assert (endpoint.name, endpoint.replay) == ("old", str(tmp_path / "completions" / "old"))


def test_the_fingerprint_tells_what_can_change_the_answers(resolve: Make) -> None:
    (here,) = resolve(f"a={URL}")
    (there,) = resolve("b=http://other:1/v1")
    (hotter,) = resolve("coder", config=f"endpoints: {{coder: {{url: '{URL}', sampling: {{temperature: 1}}}}}}")
    assert here.fingerprint == there.fingerprint
    assert here.fingerprint != hotter.fingerprint
