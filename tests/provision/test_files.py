from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmbench.provision import files
from pytest_llmbench.provision.files import find_model, model_files
from tests.real.chain_files import write_huggingface_cache
from tests.real.chain_model import Chain


def test_a_path_is_relative_to_the_servers_folder(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    file = tmp_path / "models" / "a.gguf"
    file.touch()
    assert find_model("models/a.gguf", tmp_path, {}) == file
    assert find_model(str(file), Path("/nowhere"), {}) == file
    assert find_model("models", tmp_path, {}) == tmp_path / "models"


@pytest.mark.parametrize("model", ["absent.gguf", "owner/absent", "qwen3:8b", "x" * 5000, "a\0b", "../absent"])
def test_what_is_not_here_is_none(model: str, tmp_path: Path) -> None:
    assert find_model(model, tmp_path, {"HF_HOME": str(tmp_path)}) is None


@pytest.mark.parametrize(
    ("variable", "below"), [("HF_HOME", ""), ("HF_HUB_CACHE", "hub"), ("HUGGINGFACE_HUB_CACHE", "hub")]
)
def test_an_id_is_looked_up_where_the_servers_variables_say(variable: str, below: str, tmp_path: Path) -> None:
    write_huggingface_cache(Chain.of("a chain of tokens"), tmp_path, "tests/a")
    found = find_model("tests/a", Path("/"), {variable: str(tmp_path / below)})
    assert found is not None
    assert (found / "config.json").is_file()
    assert find_model("tests/a", Path("/"), {variable: str(tmp_path / below)}, found.name) == found, "by its commit"
    assert find_model("tests/a", Path("/"), {variable: str(tmp_path / below)}, "other") is None
    assert find_model("tests/a", Path("/"), {"XDG_CACHE_HOME": str(tmp_path)}) is None


def test_all_shards_of_a_split_file(tmp_path: Path) -> None:
    names = [f"m-0000{number}-of-00002.gguf" for number in (1, 2)]
    for name in (*names, "m-00001-of-00003.gguf", "n-00001-of-00002.gguf", "m.gguf"):
        (tmp_path / name).touch()
    assert [file.name for file in model_files(tmp_path / names[0])] == names
    assert model_files(tmp_path / "m.gguf") == (tmp_path / "m.gguf",)


def test_a_folder_without_what_no_server_loads(tmp_path: Path) -> None:
    kept = [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "sub/weights.bin",
        "chat_template.jinja",
        "merges.txt",
    ]
    aside = ["README.md", ".gitattributes", ".cache/x.json", "LICENSE.txt", "picture.png", "USE_POLICY.md"]
    for name in (*kept, *aside):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [str(file.relative_to(tmp_path)) for file in model_files(tmp_path)] == sorted(kept)


def test_a_folder_with_too_much_in_it_is_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILES", 3)
    for number in range(4):
        (tmp_path / str(number)).touch()
    assert model_files(tmp_path) == ()
