from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from pytest_llmbench.endpoints.resolve import Context, resolve_all
from pytest_llmbench.errors import EndpointError, UsageFault
from pytest_llmbench.model.endpoint import Endpoint, Sampling

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
        return resolve_all(texts, Context(Sampling(max_tokens=99), path, environment or {}, discover))

    return resolve


def test_the_model_is_discovered_and_names_the_endpoint(resolve: Make) -> None:
    (endpoint,) = resolve(URL)
    assert (endpoint.name, endpoint.model, endpoint.url) == ("tiny", "org/tiny", URL)
    assert endpoint.sampling == Sampling(temperature=0.0, top_p=1.0, max_tokens=99)


def test_several_models_are_listed_with_the_way_to_choose(resolve: Make) -> None:
    with pytest.raises(UsageFault, match=r"serves 2 models; choose one with .*#MODEL.*: big, small"):
        resolve(URL, models=("big", "small"))


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
        ("endpoints: 3", "Expected `object`"),
        ("endpoints: {m: {url: 3}}", "Expected `str`"),
        ("endpoints: {m: {url: 'http://h/v1', temprature: 1}}", "unknown field `temprature`"),
        ("endpoints: {m: {url: 'replay:x'}}", "no http:// or https:// URL"),
        ("endpoints: {other: {url: 'http://h/v1'}}", "it has: other"),
        ("", "it has: none"),
        ("endpoints: {m: {url: 'http://h/v1', api_key_env: NOT_SET}}", "NOT_SET"),
        ("endpoints: {'a b': {url: 'http://h/v1'}}", "bad endpoint name 'a b'"),
    ],
)
def test_a_models_yaml_that_cannot_be_meant_is_told_in_one_line(resolve: Make, config: str | None, says: str) -> None:
    with pytest.raises(UsageFault) as caught:
        resolve("m", config=config)
    assert says in str(caught.value)
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
