"""Every models.yaml in the documentation loads, resolves and is valid in an editor."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import pytest
import yaml

from pytest_llmbench.endpoints.config import load_models_file
from pytest_llmbench.endpoints.resolve import Context, resolve_all
from pytest_llmbench.model.endpoint import Endpoint, Sampling
from tests.endpoints.test_schema import PUBLISHED

DOCS = PUBLISHED.parent
PAGES = [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))]
FILES = sorted((DOCS / "examples").glob("*.yaml"))
EXAMPLES = {path.name: path.read_text("utf-8") for path in FILES} | {
    f"{page.name}:{at}": text
    for page in PAGES
    for at, text in enumerate(re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE))
    if "endpoints:" in text
}
KEYS = {"QWEN_KEY": "k", "HOSTED_KEY": "k"}


def resolve(text: str, folder: Path) -> dict[str, Endpoint]:
    def discover(_url: str, _key: str | None) -> Sequence[str]:
        return ["served"]

    path = folder / "models.yaml"
    path.write_text(text)
    context = Context(Sampling(), path, KEYS, discover)
    return {one.name: one for one in resolve_all(list(load_models_file(path).endpoints), context)}


def test_there_are_examples() -> None:
    assert len(FILES) >= 3
    assert sum(name.startswith("endpoints.md:") for name in EXAMPLES) >= 3


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_resolves(name: str, tmp_path: Path) -> None:
    assert resolve(EXAMPLES[name], tmp_path)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_editor_finds_nothing_to_mark(name: str) -> None:
    data = json.loads(json.dumps(yaml.safe_load(EXAMPLES[name])))
    jsonschema.Draft7Validator(json.loads(PUBLISHED.read_text("utf-8"))).validate(data)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_comment_for_editors_leads_to_the_schema(path: Path) -> None:
    (schema,) = re.findall(r"^# yaml-language-server: \$schema=(\S+)$", path.read_text("utf-8"), re.MULTILINE)
    assert (path.parent / schema).resolve() == PUBLISHED


def test_the_matrix_makes_what_the_page_says(tmp_path: Path) -> None:
    page = (DOCS / "endpoints.md").read_text("utf-8")
    (text,) = (text for name, text in EXAMPLES.items() if name.startswith("endpoints.md") and "matrix:" in text)
    endpoints = resolve(text, tmp_path)
    assert len(endpoints) == 4
    for name in endpoints:
        assert f"`{name}`" in page
    serve = endpoints["qwen3-8b-fp8-32k"].serve
    assert serve is not None
    assert serve.args == (
        *("--reasoning-parser", "qwen3", "--kv-cache-dtype", "fp8"),
        *("--max-model-len", "32768"),
    )
    assert serve.ready_timeout_s == 1800


def test_the_two_servers_on_eight_gpus_share_none(tmp_path: Path) -> None:
    endpoints = resolve(EXAMPLES["eight-gpus.yaml"], tmp_path)
    left, right = (endpoints[f"qwen3-32b-{name}"].serve for name in ("bf16", "fp8"))
    assert left is not None
    assert right is not None
    assert len({*left.resources, *right.resources}) == 8
    assert (left.env["CUDA_VISIBLE_DEVICES"], right.env["CUDA_VISIBLE_DEVICES"]) == ("0,1,2,3", "4,5,6,7")
    assert right.args == (*left.args, "--kv-cache-dtype", "fp8")
    assert {"r1-distill-70b", "qwen3-235b-thinks", "qwen3-235b-answers"} < set(endpoints)
