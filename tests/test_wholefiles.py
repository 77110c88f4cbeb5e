from __future__ import annotations

import os
from pathlib import Path

from pytest_llmbench.wholefiles import write_as_typed, write_whole


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "report.json", b"old")
    path.chmod(0o444)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "full").touch()
    try:
        write_whole(tmp_path / "folder", b"cannot replace a folder")
    except OSError:
        pass
    else:
        raise AssertionError("a folder was replaced")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder", "report.json"]


def test_what_the_user_named_is_written_into_where_it_is_no_plain_file(tmp_path: Path) -> None:
    there, link, plain = (tmp_path / name for name in ("there.json", "link.json", "new/plain.json"))
    link.symlink_to(there)
    for path in (link, plain):
        write_as_typed(path, b"report")
    assert link.is_symlink()
    assert (there.read_bytes(), plain.read_bytes()) == (b"report", b"report")
    write_as_typed(Path(os.devnull), b"report")
    assert not Path(os.devnull).is_file()
