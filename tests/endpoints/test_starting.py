"""What the user wrote to what a kind can start: paths and words."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmbench.endpoints.shape import ServeConfig
from pytest_llmbench.endpoints.starting import local_path, to_serve
from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.registry import kinds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "here" / "owner" / "folder").mkdir(parents=True)
    (tmp_path / "here" / "model.gguf").touch()
    return tmp_path / "here"


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("model.gguf", "{here}/model.gguf"),
        ("./model.gguf", "{here}/model.gguf"),
        ("owner/folder", "{here}/owner/folder"),
        ("./none.gguf", "{here}/none.gguf"),
        ("../none.gguf", "{here}/../none.gguf"),
        (".", "{here}"),
        ("owner/name", "owner/name"),
        ("none.gguf", "none.gguf"),
        ("/models/none", "/models/none"),
        ("~/none", "{home}/none"),
        ("x" * 5000, "x" * 5000),
    ],
)
def test_what_is_here_becomes_absolute_and_an_id_stays(
    folder: Path, word: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/of")
    assert local_path(word, folder) == path.format(here=folder, home="/home/of")


def test_all_that_was_asked_for_is_handed_on(folder: Path) -> None:
    (folder / "serve").touch()
    config = ServeConfig(
        kind="llamacpp",
        model="model.gguf",
        args="-c 512 --alias 'a b'",
        env={"A": "1"},
        program=("./serve", "-x"),
        port=8001,
        host="127.0.0.2",
        resource="gpu0",
        ready_timeout_s=3,
        stop_timeout_s=2,
        restarts=1,
    )
    assert to_serve(config, kinds()[config.kind or ""], folder, "f:1") == Serve(
        kind="llamacpp",
        model=str(folder / "model.gguf"),
        args=("-c", "512", "--alias", "a b"),
        env={"A": "1"},
        program=(str(folder / "serve"), "-x"),
        folder=str(folder),
        host="127.0.0.2",
        port=8001,
        resources=("gpu0",),
        ready_timeout_s=3,
        stop_timeout_s=2,
        restarts=1,
    )


def test_what_is_left_out_falls_to_the_defaults(folder: Path) -> None:
    config = ServeConfig(kind="llamacpp", model="owner/name")
    assert to_serve(config, kinds()[config.kind or ""], folder, "f:1") == Serve(
        "llamacpp", "owner/name", folder=str(folder)
    )


def test_a_bare_program_is_left_to_path(folder: Path) -> None:
    (folder / "llama-server").touch()
    config = ServeConfig(kind="llamacpp", model="m", program="llama-server --verbose", resource=())
    serve = to_serve(config, kinds()[config.kind or ""], folder, "f:1")
    assert serve.program == ("llama-server", "--verbose")
    assert serve.resources == ()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (ServeConfig(kind="llamacpp", env={"": "1"}), "f:1: env: wanted the name of a variable, got ''"),
        (ServeConfig(kind="llamacpp", env={"KEY=secret": "1"}), "f:1: env: wanted the name of a variable, got 'KEY'"),
        (ServeConfig(kind="command"), "f:1: command: wanted the words of a command line"),
        (ServeConfig(kind="vllm", model="org/m -tp 2"), "f:1: wanted a model, got flags behind it; they belong into"),
        (
            ServeConfig(kind="vllm", model="m", resource="gpu0,gpu1"),
            "f:1: resource: wanted one name, or a list such as",
        ),
        (
            ServeConfig(kind="vllm", model="m", resource=("gpu0", "")),
            "f:1: resource: wanted one name, or a list such as",
        ),
        (
            ServeConfig(kind="command", args="KEY=secret serve {port}"),
            "f:1: command: wanted a program first, got KEY=…;",
        ),
        (ServeConfig(kind="llamacpp", program="a 'b"), "f:1: cannot be split into words: no closing quotation"),
    ],
)
def test_what_can_never_start_is_refused_at_once(folder: Path, config: ServeConfig, says: str) -> None:
    with pytest.raises(UsageFault) as caught:
        to_serve(config, kinds()[config.kind or ""], folder, "f:1")
    assert str(caught.value).startswith(says)
    assert "secret" not in str(caught.value)


def test_a_path_may_hold_spaces(folder: Path) -> None:
    config = ServeConfig(kind="llamacpp", model="./my -model.gguf")
    assert to_serve(config, kinds()["llamacpp"], folder, "f:1").model == str(folder / "my -model.gguf")
