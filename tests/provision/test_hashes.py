from __future__ import annotations

import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from pytest_llmbench.provision import hashes
from pytest_llmbench.provision.hashes import BLOCK_BYTES, BLOCKS, HEAD_BYTES, MIB, SAMPLED, model_sha256

SMALLEST_SAMPLED = HEAD_BYTES + BLOCKS * BLOCK_BYTES + 7


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pytest-llmbench" / "sha256"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "model.gguf"
    file.write_bytes(os.urandom(3 * MIB + 5))
    return file


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Is larger than what is read whole; a hole on the disk."""
    monkeypatch.setattr(hashes, "FULL_BYTES", MIB)
    file = tmp_path / "large.gguf"
    with file.open("wb") as out:
        out.truncate(2 * SMALLEST_SAMPLED)
    return file


def sha256sum(*arguments: str, folder: Path) -> str:
    return subprocess.run(["sha256sum", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def patch(file: Path, at: int) -> None:
    with file.open("r+b") as out:
        out.seek(at)
        out.write(b"x")


def test_a_file_has_the_hash_that_sha256sum_prints(model: Path) -> None:
    assert model_sha256(model) == sha256sum(model.name, folder=model.parent).split()[0]


def test_a_folder_has_the_hash_of_what_sha256sum_prints(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    names = ["a b.json", "config.json", "model.safetensors", "sub/x.bin"]
    for name in names:
        (folder / name).write_text(name)
    printed = sha256sum(*names, folder=folder)
    assert model_sha256(folder) == hashlib.sha256(printed.encode()).hexdigest()
    (folder / "README.md").write_text("x")
    assert model_sha256(folder) == hashlib.sha256(printed.encode()).hexdigest()


def test_all_shards_count(tmp_path: Path) -> None:
    first, second = (tmp_path / f"m-0000{number}-of-00002.gguf" for number in (1, 2))
    first.write_text("1")
    second.write_text("2")
    before = model_sha256(first)
    second.write_text("3 longer")
    assert model_sha256(first) not in {before, None}


def test_a_second_look_reads_nothing(model: Path, cache: Path) -> None:
    found = model_sha256(model)
    (entry,) = cache.iterdir()
    assert entry.read_text() == f"{found}\n"
    entry.write_text("0" * 64)
    assert model_sha256(model) == "0" * 64
    entry.write_text("rubbish")
    assert model_sha256(model) == found


def test_a_file_that_changed_is_read_again(model: Path) -> None:
    before, about = model_sha256(model), model.stat()
    patch(model, 7)
    # As `rsync` and `cp -p` leave it. The kernel's clock for files may not have ticked yet.
    os.utime(model, ns=(about.st_atime_ns, about.st_mtime_ns))
    while model.stat().st_ctime_ns == about.st_ctime_ns:
        os.utime(model, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert (model.stat().st_size, model.stat().st_mtime_ns) == (about.st_size, about.st_mtime_ns)
    assert model_sha256(model) not in {before, None}


def test_without_a_place_for_a_cache(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = model_sha256(model)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert model_sha256(model) == wanted


def test_the_cache_is_below_the_home_where_nothing_else_is_said(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    model_sha256(model)
    assert len(list((tmp_path / "home/.cache/pytest-llmbench/sha256").iterdir())) == 1


@pytest.mark.parametrize(
    "at", [0, HEAD_BYTES - 1, HEAD_BYTES, 2 * SMALLEST_SAMPLED - BLOCK_BYTES, 2 * SMALLEST_SAMPLED - 1]
)
def test_a_large_file_is_sampled_at_its_beginning_and_up_to_its_end(large: Path, at: int) -> None:
    before = model_sha256(large)
    assert before is not None
    assert re.fullmatch(rf"{SAMPLED}[0-9a-f]{{64}}", before)
    patch(large, at)
    assert model_sha256(large) not in {before, None}


def test_blocks_lie_no_further_apart_than_they_must(large: Path) -> None:
    before = model_sha256(large)
    rest = 2 * SMALLEST_SAMPLED - HEAD_BYTES - BLOCK_BYTES
    for block in (1, 31, 62):
        patch(large, HEAD_BYTES + block * rest // (BLOCKS - 1))
        after = model_sha256(large)
        assert after not in {before, None}, block
        before = after


def test_the_size_of_a_large_file_counts(large: Path) -> None:
    before = model_sha256(large)
    with large.open("r+b") as out:
        out.truncate(2 * SMALLEST_SAMPLED + 1)
    assert model_sha256(large) not in {before, None}


def test_small_files_of_a_large_model_are_read_whole(large: Path) -> None:
    folder = large.parent / "model"
    folder.mkdir()
    large.rename(folder / "model.safetensors")
    config = folder / "config.json"
    config.write_text("{}")
    before = model_sha256(folder)
    assert before is not None
    assert before.startswith(SAMPLED)
    config.write_text("[]")
    os.utime(config, ns=(0, 0))
    assert model_sha256(folder) not in {before, None}


def test_files_of_a_hugging_face_cache_are_believed(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / ("ab" * 32)
    blob.parent.mkdir()
    blob.write_text("not read")
    (tmp_path / "snapshots").mkdir()
    link = tmp_path / "snapshots" / "model.gguf"
    link.symlink_to("../blobs/" + blob.name)
    assert model_sha256(link) == blob.name


@pytest.mark.parametrize("what", ["absent", "empty folder", "fifo", "unreadable link"])
def test_what_cannot_be_read_has_none(what: str, tmp_path: Path) -> None:
    path = tmp_path / "model"
    if what == "empty folder":
        path.mkdir()
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "unreadable link":
        path.symlink_to(path)
    assert model_sha256(path) is None


def test_it_can_be_given_up(model: Path, cache: Path) -> None:
    asked: list[int] = []

    def is_given_up() -> bool:
        asked.append(1)
        return len(asked) == 3

    assert model_sha256(model, is_given_up) is None
    assert len(asked) == 3
    assert not cache.exists()


def test_a_file_that_changes_meanwhile_has_none(model: Path, cache: Path) -> None:
    def touch() -> bool:
        os.utime(model, ns=(0, 0))
        return False

    assert model_sha256(model, touch) is None
    assert not cache.exists()
