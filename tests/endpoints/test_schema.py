"""The published schema of models.yaml: up to date, complete, and of one mind with the loader."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pytest_llmbench.endpoints.config import load_models_file
from pytest_llmbench.endpoints.schema import models_schema
from pytest_llmbench.errors import UsageFault
from pytest_llmbench.servers.registry import kinds
from tests.endpoints.test_config import EVERYTHING

PUBLISHED = Path(__file__).parents[2] / "docs" / "models.schema.json"


def is_valid(text: str) -> bool:
    data = json.loads(json.dumps(yaml.safe_load(text), default=str))  # an editor's keys are texts
    return jsonschema.Draft7Validator(json.loads(models_schema())).is_valid(data)


def test_the_published_schema_is_up_to_date() -> None:
    assert PUBLISHED.read_text("utf-8") == models_schema(), (
        "run: python -m pytest_llmbench.endpoints.schema > docs/models.schema.json"
    )


def test_the_module_prints_the_schema() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "pytest_llmbench.endpoints.schema"], check=True, capture_output=True, text=True
    )
    assert printed.stdout == models_schema()


def test_it_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(models_schema()))


def test_every_key_says_what_it_is() -> None:
    definitions: dict[str, Any] = json.loads(models_schema())["$defs"]
    assert set(definitions) == {"FileConfig", "EntryConfig", "EndpointConfig", "ServeConfig", "SamplingConfig"}
    for name, definition in definitions.items():
        assert definition["additionalProperties"] is False
        for key, about in definition["properties"].items():
            assert about.get("description"), f"{name}.{key}"
    assert definitions["ServeConfig"]["properties"]["kind"]["examples"] == sorted(kinds())


def test_everything_that_can_stand_there_is_valid() -> None:
    assert is_valid(EVERYTHING)


@pytest.mark.parametrize("about", ["sampling", "metadata", "extra_body", "variants", "matrix", "context_tokens"])
def test_nothing_can_stand_behind_every_key(about: str, tmp_path: Path) -> None:
    text = f"defaults:\nendpoints: {{m: {{{about}: ~, serve: {{kind: vllm, args: ~, env: ~, restarts: ~}}}}}}"
    (tmp_path / "models.yaml").write_text(text)
    assert load_models_file(tmp_path / "models.yaml").endpoints["m"].config.serve is not None
    assert is_valid(text)


@pytest.mark.parametrize(
    "entry",
    [
        "{serve: {kind: vllm, port: abc}}",
        "{serve: {kind: vllm, port: 70000}}",
        "{serve: {kind: vllm, prot: 8000}}",
        "{serve: {kind: vllm, args: 3}}",
        "{serve: {kind: vllm, args: [[a]]}}",
        "{serve: {kind: vllm, args: [~]}}",
        "{serve: {kind: vllm, env: {A: ~}}}",
        "{serve: {kind: vllm, ready_timeout_s: 0}}",
        "{serve: vllm}",
        "{url: ''}",
        "{url: u, sampling: {temperature: -1}}",
        "{url: u, sampling: {top_p: 1.5}}",
        "{url: u, sampling: {max_tokens: 0}}",
        "{url: u, api_key_env: sk-123}",
        "{url: u, variants: {a: {variants: {}}}}",
        "{url: u, variants: {a: {serve: {arg: b}}}}",
        "{url: u, matrix: {kv: [1, 2]}}",
        "{url: u, matrix: {kv: {}}}",
        "~",
    ],
)
def test_what_the_loader_refuses_an_editor_marks(entry: str, tmp_path: Path) -> None:
    text = f"endpoints: {{m: {entry}}}"
    (tmp_path / "models.yaml").write_text(text)
    with pytest.raises(UsageFault):
        load_models_file(tmp_path / "models.yaml")
    assert not is_valid(text)
