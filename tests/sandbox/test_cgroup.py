"""Delegated cgroups, on a made-up tree; the kernel's files are plain ones here."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmbench.sandbox.api import MIB, Limits
from pytest_llmbench.sandbox.cgroup import Cgroup, find_delegated, make_cgroup

OWN = "12:memory:/old\n0::/user.slice/app.slice/run-1.scope\n"


def tree(root: Path, *, controllers: str = "cpu memory pids") -> Path:
    app = root / "user.slice/app.slice"
    (app / "run-1.scope").mkdir(parents=True)
    for folder, given in ((root, ""), (app.parent, controllers), (app, controllers), (app / "run-1.scope", "")):
        (folder / "cgroup.subtree_control").write_text(given + "\n")
        (folder / "cgroup.procs").write_text("")
    return app


def mounts(point: Path, root: str = "/") -> str:
    return f"25 24 0:22 / /proc rw - proc proc rw\n31 24 0:27 {root} {point} rw,nosuid shared:9 - cgroup2 cgroup2 rw\n"


def test_the_nearest_folder_that_divides_is_found(tmp_path: Path) -> None:
    app = tree(tmp_path)
    assert find_delegated(OWN, mounts(tmp_path)) == app


@pytest.mark.parametrize("controllers", ["", "memory", "pids cpu"])
def test_both_controllers_are_needed(tmp_path: Path, controllers: str) -> None:
    tree(tmp_path, controllers=controllers)
    assert find_delegated(OWN, mounts(tmp_path)) is None


def test_version_1_alone_gives_nothing(tmp_path: Path) -> None:
    tree(tmp_path)
    assert find_delegated("4:memory:/x\n1:name=systemd:/x\n", mounts(tmp_path)) is None
    assert find_delegated(OWN, f"31 24 0:27 / {tmp_path} rw - cgroup cgroup rw,memory\n") is None
    assert find_delegated("", "") is None


def test_a_mount_of_a_part_is_understood(tmp_path: Path) -> None:
    app = tree(tmp_path)
    assert find_delegated(OWN, mounts(app, "/user.slice/app.slice")) == app


def test_a_cgroup_outside_the_mounted_part_is_not_looked_for(tmp_path: Path) -> None:
    tree(tmp_path)
    assert find_delegated("0::/elsewhere\n", mounts(tmp_path / "user.slice", "/user.slice")) is None


def test_limits_are_written(tmp_path: Path) -> None:
    group = make_cgroup(tmp_path, Limits(memory_bytes=100 * MIB, disk_bytes=10 * MIB, processes=8))
    assert group.folder.parent == tmp_path
    assert (group.folder / "memory.max").read_text() == str(162 * MIB)
    assert (group.folder / "pids.max").read_text() == "9"
    group.add(4711)
    assert (group.folder / "cgroup.procs").read_text() == "4711"


def test_two_groups_do_not_meet(tmp_path: Path) -> None:
    assert make_cgroup(tmp_path, Limits()).folder != make_cgroup(tmp_path, Limits()).folder


@pytest.mark.parametrize(
    ("events", "wanted"), [("oom 3\noom_kill 2\n", True), ("oom 1\noom_kill 0\n", False), (None, False)]
)
def test_a_kill_for_memory_is_seen(tmp_path: Path, events: str | None, *, wanted: bool) -> None:
    if events is not None:
        (tmp_path / "memory.events").write_text(events)
    assert Cgroup(tmp_path).ran_out_of_memory() is wanted


def test_it_is_removed(tmp_path: Path) -> None:
    (tmp_path / "group").mkdir()
    group = Cgroup(tmp_path / "group")
    group.remove()
    group.remove()
    assert list(tmp_path.iterdir()) == []
