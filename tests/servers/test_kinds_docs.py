"""What docs/servers.md says of the kinds is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pytest_llmbench.endpoints.config import load_models_file
from pytest_llmbench.endpoints.starting import to_serve
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, ServerKind
from pytest_llmbench.servers.registry import OWN, kinds

PAGE = (Path(__file__).parents[2] / "docs" / "servers.md").read_text("utf-8")
NONE = "–"  # noqa: RUF001 - as the page has it


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table below that head, by the kind in their first cell."""
    table = PAGE[PAGE.index(f"| kind | {heading}") :].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {row[0].strip("`"): row[1:] for row in cells}


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.name)
def test_the_table_of_kinds(kind: ServerKind) -> None:
    starts, _, up, figures = rows("`KIND:MODEL`")[kind.name]
    assert up == f"`{kind.health_path}`"
    assert figures == (f"`{kind.metrics_path}`" if kind.metrics_path else NONE)
    if kind.program:
        model = "MODEL/MODEL.gguf"  # an id would be looked up elsewhere by some
        argv = kind.launch(Serve(kind.name, model), 1).argv
        assert " ".join(argv).replace(model, "MODEL").startswith(starts.strip("`"))


def test_the_tables_have_all_kinds_and_no_other() -> None:
    names = {kind.name for kind in OWN}
    assert set(rows("`KIND:MODEL`")) == set(rows("version")) == names
    assert set(rows("adds")) <= {*names, "those in Python"}


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: kind.name)
def test_paths_in_the_table_of_facts_are_asked(kind: ServerKind) -> None:
    told = re.findall(r"`(/[\w/]+)`", " ".join(rows("version")[kind.name]))
    assert set(told) <= set(kind.fact_paths)


@pytest.mark.parametrize("kind", [kind for kind in OWN if kind.program], ids=lambda kind: kind.name)
def test_what_a_kind_adds_is_told(kind: ServerKind) -> None:
    launch = kind.launch(Serve(kind.name, "m"), 8123)
    flags = {word for word in launch.argv if word.startswith("--")}
    usual = {*kind.keys, "--model-path", "--hostname", "--host", "--port"}
    table = PAGE[PAGE.index("| kind | adds") :].partition("\n\n")[0]
    for name in (flags - usual) | set(launch.env):
        assert name in table, name


def serves(example: str, folder: Path) -> list[Serve]:
    """What the example would start, with its files in that folder."""
    (folder / "models.yaml").write_text(example)
    configs = [entry.config.serve for entry in load_models_file(folder / "models.yaml").endpoints.values()]
    return [to_serve(config, kinds()[config.kind or ""], folder, "here") for config in configs if config]


@pytest.mark.parametrize("example", blocks("yaml"))
def test_the_examples_can_be_started(example: str, tmp_path: Path) -> None:
    started = serves(example, tmp_path)
    assert len(started) == len(re.findall(r"kind: ", example)) >= 3
    for serve in started:
        assert kinds()[serve.kind].launch(serve, 8123).argv


def test_the_example_of_gpus_keeps_apart_what_shares_one(tmp_path: Path) -> None:
    left, right, both = (set(serve.resources) for serve in serves(blocks("yaml")[1], tmp_path))
    assert not left & right
    assert both == left | right


def test_the_message_of_a_flag_that_has_a_key() -> None:
    with pytest.raises(Exception, match="vllm: ") as raised:
        kinds()["vllm"].launch(Serve("vllm", "m", ("--port", "1")), 2)
    assert str(raised.value) in PAGE


def test_the_kind_of_the_example() -> None:
    (example,) = blocks("python")
    names: dict[str, Any] = {"__name__": "conftest"}
    exec(compile(example, "conftest.py", "exec"), names)  # noqa: S102 - our own page
    known = kinds(names["pytest_llmbench_server_kinds"]())
    argv = known["mine"].launch(Serve("mine", "org/m", ("--fast",)), 8123).argv
    assert " ".join(argv) == "mine serve --model-id org/m --host 127.0.0.1 --port 8123 --fast"
    answers = {"/v1/models": {"data": [{"id": "org/m", "context": 4096}]}}
    assert known["mine"].read_facts(answers) == Facts(model="org/m", context_tokens=4096)


def test_all_that_a_kind_can_say_is_told() -> None:
    table = PAGE[PAGE.index("| `name` |") :]
    inner = {"argv", "needed_model"}  # what `launch` is made of
    for name in vars(ServerKind):
        if not name.startswith("_") and name not in inner:
            assert f"`{name}`" in table, name
