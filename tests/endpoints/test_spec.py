from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.endpoints.spec import (
    NamedSpec,
    ReplaySpec,
    ServeSpec,
    Spec,
    UrlSpec,
    check_name,
    name_from,
    parse_spec,
)
from pytest_llmbench.errors import UsageFault

KINDS = ("llamacpp", "vllm", "command")


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("http://127.0.0.1:8000/v1", UrlSpec("http://127.0.0.1:8000/v1")),
        ("http://127.0.0.1:8000/v1/", UrlSpec("http://127.0.0.1:8000/v1")),
        ("new=http://h:1/v1", UrlSpec("http://h:1/v1", "new")),
        ("https://h/v1#org/Model:Q4_K_M", UrlSpec("https://h/v1", None, "org/Model:Q4_K_M")),
        ("http://[::1]:8000/v1", UrlSpec("http://[::1]:8000/v1")),
        ("replay:answers", ReplaySpec("answers")),
        ("replay:/a/b=c/", ReplaySpec("/a/b=c/")),
        ("old=replay:runs/1#qwen", ReplaySpec("runs/1", "old", "qwen")),
        ("llamacpp:./model.gguf", ServeSpec("llamacpp", "./model.gguf")),
        ("vllm:Qwen/Qwen3-8B", ServeSpec("vllm", "Qwen/Qwen3-8B")),
        ("new=vllm:qwen3:8b", ServeSpec("vllm", "qwen3:8b", "new")),
        ("llamacpp:/a/b=c.gguf", ServeSpec("llamacpp", "/a/b=c.gguf")),
        ("command:serve --port={port} --x=http://h", ServeSpec("command", "serve --port={port} --x=http://h")),
        ("qwen3-coder", NamedSpec("qwen3-coder")),
        ("vllm", NamedSpec("vllm")),
    ],
)
def test_every_form_is_read(text: str, spec: Spec) -> None:
    assert parse_spec(text, KINDS) == spec


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not an endpoint"),
        ("ftp://host/v1", "not an endpoint"),
        ("replay:", "wants a folder"),
        ("a b=http://h/v1", "bad endpoint name 'a b'"),
        ("m-s2=http://h/v1", "cannot end in '-s<number>'"),
        ("http://", "no host"),
        ("http://h:port/v1", "bad URL"),
        ("http://me:secret@h/v1", "--llm-endpoint=http://…@h/v1: a password or query"),
        ("http://me:secret@h:port/v1", "bad URL"),
        ("http://me:secret/@h/v1", "bad URL"),
        ("x=http://me:secret@[::1/v1", "--llm-endpoint=x=http://…@[::1/v1: bad URL"),
        ("HTTP://me:secret@h/v1", "not an endpoint"),
        ("htp://secret@h/v1", "not an endpoint"),
        ("me:secret@h", "--llm-endpoint=me:…@h: no server kind 'me'"),
        ("http:///v1?key=secret", "no host"),
        ("a b=http://me:secret@h/v1", "bad endpoint name 'a b'"),
        ("comand:serve --api-key secret", "--llm-endpoint=comand:serve …: no server kind 'comand'"),
        ("comand:HF_TOKEN=secret serve", "--llm-endpoint=comand:HF_TOKEN=…: no server kind 'comand'"),
        ("http://h/v1?api_key=secret", "api_key_env"),
        ("new=qwen", "not an endpoint"),
        ("vlm:Qwen/Qwen3-8B", "no server kind 'vlm'; there are command, llamacpp, vllm; or use [NAME=]http://"),
        ("localhost:8000", "no server kind 'localhost'"),
        ("vllm:", "vllm: wants a model"),
        ("command: ", "command: wants a model"),
        ("x" * 101 + "=vllm:m", "wanted an endpoint name of at most 100 characters, got 101"),
        ("m-s2=vllm:m", "cannot end in '-s<number>'"),
    ],
)
def test_a_bad_spec_says_what_would_be_good(text: str, says: str) -> None:
    with pytest.raises(UsageFault, match=r"^--llm-endpoint=") as caught:
        parse_spec(text, KINDS)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@given(st.text(max_size=300))
def test_a_name_made_of_any_text_can_stand_in_a_test_id(text: str) -> None:
    assert check_name(name_from(text), "test")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Qwen/Qwen3-Coder-30B", "Qwen3-Coder-30B"),
        ("/models/tiny.gguf", "tiny.gguf"),
        ("127.0.0.1:8000", "127.0.0.1-8000"),
        ("granite-s2", "granite_s2"),
        ("x" * 300, "x" * 100),
        ("x" * 97 + "-s22", "x" * 97 + "_s2"),
    ],
)
def test_a_model_id_becomes_a_name(model: str, name: str) -> None:
    assert name_from(model) == name


@given(st.text(max_size=80))
def test_any_text_is_a_spec_or_a_usage_fault(text: str) -> None:
    try:
        parse_spec(text, KINDS)
    except UsageFault as fault:
        assert str(fault)  # noqa: PT017 - most texts raise nothing
