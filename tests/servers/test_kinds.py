"""Every kind by the same questions; what is special about one stands in the table of `samples`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, get_type_hints

import pytest

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind
from pytest_llmbench.servers.registry import OWN
from tests.servers.samples import ATTACHED, KINDS, PORT, SAMPLES, Sample, each, each_started


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


def test_paths_begin_at_the_root() -> None:
    for kind in OWN:
        paths = (kind.health_path, kind.api_path, *kind.fact_paths, kind.metrics_path or "/")
        assert all(path.startswith("/") for path in paths), kind.name


def test_no_two_kinds_answer_to_one_owner() -> None:
    owners = [owner for kind in OWN for owner in kind.owned_by]
    assert len(owners) == len(set(owners))
