from __future__ import annotations

from pytest_llmbench.disclosure import holds_redacted, hush, redact_tree, secrets_of, shown_command, without_secrets
from pytest_llmbench.model.codec import decode, encode
from pytest_llmbench.model.endpoint import Endpoint, Sampling
from pytest_llmbench.model.serving import Serve

ENVIRONMENT = {"QWEN_KEY": "key-of-the-api"}
ENDPOINT = Endpoint(
    name="new",
    url="http://h/v1",
    sampling=Sampling(temperature=0.2),
    api_key_env="QWEN_KEY",
    extra_body={
        "min_p": 0.1,
        "stop": ["a", "b"],
        "provider": {"api_key": "key-in-the-body", "order": ["x"]},
        "headers": [{"Authorization": "Bearer key-in-a-header"}, {"x-api-key": "other-header-key"}],
        "note": "as key-of-the-api says",
    },
    metadata={"board": "https://me:word-of-pass@grafana/d?api_key=key-in-a-query", "quantisation": "Q4"},
    problem="http://h/v1/models: HTTP 401; it said 'no such key: key-of-the-api'",
    serve=Serve(
        "command",
        program=("run", "--token", "key-of-a-program"),
        args=("serve", "--api-key", "key-in-the-words", "--port", "{port}"),
        env={"HF_TOKEN": "key-in-a-variable", "OMP_NUM_THREADS": "4"},
    ),
)
SECRETS = (
    "key-of-the-api", "key-in-the-body", "key-in-a-header", "other-header-key", "word-of-pass", "key-in-a-query",
    "key-of-a-program", "key-in-the-words", "key-in-a-variable",
)  # fmt: skip


def test_no_secret_of_an_endpoint_is_written_down() -> None:
    text = encode(without_secrets(ENDPOINT, ENVIRONMENT)).decode()
    assert [secret for secret in SECRETS if secret in text] == []


def test_all_else_is_as_it_was() -> None:
    shown = without_secrets(ENDPOINT, ENVIRONMENT)
    assert (shown.name, shown.url, shown.sampling) == (ENDPOINT.name, ENDPOINT.url, ENDPOINT.sampling)
    assert shown.extra_body["min_p"] == 0.1
    assert shown.extra_body["stop"] == ["a", "b"]
    assert shown.extra_body["provider"]["order"] == ["x"]
    assert shown.metadata["quantisation"] == "Q4"
    assert shown.serve is not None
    assert shown.serve.args[-2:] == ("--port", "{port}")
    assert shown.serve.env["OMP_NUM_THREADS"] == "4"
    plain = Endpoint("old", "http://h/v1", "m", extra_body={"top_k": 1, "chat_template_kwargs": {"enable": False}})
    assert without_secrets(plain, ENVIRONMENT) == plain


def test_an_endpoint_whose_secrets_are_needed_again_says_so() -> None:
    shown = decode(encode(without_secrets(ENDPOINT, ENVIRONMENT)), Endpoint)
    assert holds_redacted(shown) == ("extra_body", "serve")
    assert holds_redacted(Endpoint("old", "http://h/v1", api_key_env="QWEN_KEY")) == ()


def test_what_an_endpoint_is_known_to_hold_is_found_wherever_it_stands() -> None:
    secrets = secrets_of(ENDPOINT, ENVIRONMENT)
    assert {*SECRETS} - {*secrets} == {"word-of-pass", "key-in-a-query"}  # these are told by where they stand
    assert hush("HTTP 400; it said 'no key-in-the-body here'", secrets) == "HTTP 400; it said 'no <redacted> here'"
    assert hush("http://h/sk-proj-0123456789ab/v1: cannot connect", ()) == "http://h/<redacted>/v1: cannot connect"
    assert redact_tree(["key-of-the-api", 1, None], secrets) == ["<redacted>", 1, None]
    assert secrets_of(Endpoint("old"), ENVIRONMENT) == ()


def test_our_own_command_line_is_written_down_without_secrets() -> None:
    words = ("suites", "--llm-endpoint=new=command:serve --api-key key-in-the-words --port {port}", "-k", "not slow")
    shown = ("suites", "--llm-endpoint=new=command:serve --api-key <redacted> --port {port}", "-k", "not slow")
    assert shown_command(words, ENVIRONMENT) == shown
    assert shown_command(["-o", "x=key-of-the-api"], ENVIRONMENT) == ("-o", "x=<redacted>")
