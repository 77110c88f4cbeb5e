from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.model.endpoint import Endpoint, Gpu, Sampling, ServerInfo
from pytest_llmbench.model.report import EndpointRow, RunInfo
from pytest_llmbench.reports.build import build_report
from pytest_llmbench.reports.differences import differences

RUN = RunInfo("r", "", 1.0, "0", (), 7, {}, "none")
COMMAND = ("vllm", "serve", "m", "--port", "{port}", "--kv-cache-dtype", "auto", "--seed", "-1")
SERVER = ServerInfo("vllm", "0.6.1", command=COMMAND, env={"VLLM_USE_V1": "0"}, gpus=(Gpu("H100", 80, "550"),))
BEFORE = Endpoint("old", "http://a/v1", "m", server=SERVER, extra_body={"chat_template_kwargs": {"thinking": True}})


def row(endpoint: Endpoint) -> EndpointRow:
    return build_report(RUN, [endpoint], [], []).endpoints[0]


def lines(after: Endpoint, before: Endpoint = BEFORE) -> list[str]:
    return list(differences(row(before), row(after)))


def with_server(**fields: Any) -> Endpoint:
    return replace(BEFORE, server=replace(SERVER, **fields))


def with_command(text: str) -> Endpoint:
    return with_server(command=tuple(text.split()))


def test_the_same_under_another_name_and_address_differs_in_nothing() -> None:
    assert lines(replace(BEFORE, name="new", url="http://b/v1", server=replace(SERVER, load_s=3.0, log="x"))) == []


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (with_server(version="0.6.2"), "server.version: 0.6.1 -> 0.6.2"),
        (with_server(version=None), "server.version: 0.6.1 -> unknown"),
        (with_server(context_tokens=8192), "server.context_tokens: unknown -> 8192"),
        (with_server(env={"VLLM_USE_V1": "1"}), "server.env.VLLM_USE_V1: 0 -> 1"),
        (with_server(env={}), "server.env.VLLM_USE_V1: 0 -> not set"),
        (with_server(gpus=(Gpu("H200", 80, "550"),)), "server.gpus.1.name: H100 -> H200"),
        (with_server(gpus=None), "server.gpus.1.name: H100 -> not set"),
        (replace(BEFORE, model="n"), "model: m -> n"),
        (replace(BEFORE, sampling=Sampling(temperature=0.7)), "sampling.temperature: 0.0 -> 0.7"),
        (replace(BEFORE, sampling=Sampling(seed=7)), "sampling.seed: unknown -> 7"),
        (replace(BEFORE, metadata={"tp": 2}), "metadata.tp: not set -> 2"),
        (replace(BEFORE, extra_body={"chat_template_kwargs": {"thinking": False}}),
         "extra_body.chat_template_kwargs.thinking: true -> false"),
    ],
)  # fmt: skip
def test_a_line_for_a_fact(after: Endpoint, says: str) -> None:
    assert says in lines(after)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("vllm serve m --port {port} --kv-cache-dtype fp8 --seed -1", ["--kv-cache-dtype auto -> fp8"]),
        ("vllm serve m --port {port} --kv-cache-dtype=fp8 --seed=-1", ["--kv-cache-dtype auto -> fp8"]),
        ("vllm serve m --kv-cache-dtype auto --seed -1 --enforce-eager", ["--enforce-eager not set -> set"]),
        ("vllm serve m --kv-cache-dtype auto", ["--seed -1 -> not set"]),
        ("vllm serve n --kv-cache-dtype auto --seed 2", ["vllm serve m -> vllm serve n", "--seed -1 -> 2"]),
        ("vllm serve m --kv-cache-dtype auto --seed -1 --lora a --lora b", ["--lora not set -> a, b"]),
        ("vllm serve m --seed -1 --kv-cache-dtype auto --port 7", ["the same words in another order"]),
    ],
)
def test_a_line_for_an_option(command: str, says: list[str]) -> None:
    assert lines(with_command(command)) == [f"server.command: {line}" for line in says]


def test_a_command_that_only_one_run_knows() -> None:
    (line,) = lines(with_server(command=None, env=SERVER.env))
    assert line == "server.command: vllm serve m --kv-cache-dtype auto --seed -1 -> unknown"


def test_what_looks_alike_is_told_apart() -> None:
    assert lines(replace(BEFORE, metadata={"tp": "2"}), replace(BEFORE, metadata={"tp": 2})) == [
        'metadata.tp: 2 -> "2"'
    ]


def test_a_line_is_one_line() -> None:
    (line,) = lines(replace(BEFORE, metadata={"note": "a\nb"}))
    assert line == "metadata.note: not set -> a\\nb"


keys = st.text("abc", min_size=1, max_size=2)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.floats(0, 1) | st.text('ab"', max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(keys, values, max_size=2)
maybe = st.none() | st.text("ab", max_size=2)
words = st.sampled_from(["vllm", "--a", "--a=1", "--b", "1", "-1", "--port", "{port}", "<redacted>", "--log-file"])
servers = st.builds(
    ServerInfo, maybe, maybe, maybe, st.none() | st.lists(words, max_size=5).map(tuple),
    st.none() | st.dictionaries(keys, st.text("ab", max_size=1), max_size=2), maybe, maybe, maybe,
    st.none() | st.integers(1, 2), gpus=st.none() | st.lists(st.builds(Gpu, st.text("ab"), st.none() | st.integers(0, 1)), max_size=2).map(tuple),
)  # fmt: skip
endpoints = st.builds(
    Endpoint, st.just("e"), st.none(), maybe, maybe, st.builds(Sampling, st.sampled_from([0.0, 0.5])), st.none(), objects,
    servers, objects,
)  # fmt: skip


@given(endpoints, endpoints)
def test_there_is_a_line_exactly_if_the_fingerprints_differ(before: Endpoint, after: Endpoint) -> None:
    found = lines(after, before)
    assert bool(found) == (before.fingerprint != after.fingerprint)
    assert not any("\n" in line for line in found)


@given(endpoints)
def test_nothing_differs_from_itself(endpoint: Endpoint) -> None:
    assert lines(endpoint, endpoint) == []
