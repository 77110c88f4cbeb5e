"""The same tests once more as a plain user, where the tests themselves run as root.

The packages and the project are bind-mounted where a plain user can read them, in a mount namespace that goes with the
run, so that nothing has to be copied. The interpreter stays at its place, for not every one can be moved; a closed
folder above it, such as /root, is replaced by one that holds nothing else.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
UID = 52741
"""Nobody's."""
SHOWN = "/mnt"
TEMPORARY = f"{SHOWN}/tmp"  # noqa: S108 - on a file system that only the run sees

SYSTEM_PYTHON = Path("/usr/bin/python3")

SAME = [
    "test_process.py",
    "test_bubblewrap.py",
    "test_preflight.py",
    "test_worker.py",
    "test_left_behind.py",
    "hostile/test_hostile.py",
    "hostile/test_forgeries.py",
]


def has_same_version(python: Path) -> bool:
    """Whether packages that were compiled for us can be used by it."""
    if not python.exists():
        return False
    told = subprocess.run([python, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, check=True)
    return told.stdout.split() == [str(part).encode() for part in sys.version_info[:2]]


def opening(prefix: Path) -> str:
    """Return shell commands that make the interpreter's folder readable at its own place, in our mount namespace."""
    closed = next((folder for folder in reversed(prefix.parents) if not folder.stat().st_mode & 0o001), None)
    if closed is None:
        return ""
    return (
        f"mkdir {SHOWN}/python && mount --bind {prefix} {SHOWN}/python && mount -t tmpfs -o mode=755 shown {closed} && "
        f"mkdir -p {prefix} && mount --bind {SHOWN}/python {prefix} && "
    )


def run(file: str, *, uid: int, python: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a file as a user."""
    shown = {f"{SHOWN}/project": str(PROJECT), f"{SHOWN}/packages": sysconfig.get_path("platlib")}
    mounts = "".join(f"mkdir {place} && mount --bind {shlex.quote(real)} {place} && " for place, real in shown.items())
    drop = f"setpriv --reuid {uid} --regid {uid} --clear-groups --bounding-set=-all" if uid else ""
    script = (
        f"mount --make-rprivate / && mount -t tmpfs -o mode=755 shown {SHOWN} && {mounts} "
        f"{opening(Path(os.path.realpath(sys.base_prefix)))} "
        f"mkdir -m 1777 {TEMPORARY} && cd {SHOWN}/project && "
        f"exec {drop} {python} -B -m pytest -q -p no:cacheprovider -p no:llmbench --basetemp={TEMPORARY}/base tests/sandbox/{file}"
    )
    env = {
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": TEMPORARY,
        "LANG": "C.UTF-8",
        "PYTHONPATH": f"{SHOWN}/project:{SHOWN}/packages",
        "TMPDIR": TEMPORARY,
    }
    return subprocess.run(["unshare", "-m", "sh", "-c", script], env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("file", SAME)
def test_as_a_plain_user(file: str) -> None:
    if os.geteuid() != 0:
        return  # then the tests that stand above have run as one
    done = run(file, uid=UID, python=os.path.realpath(sys._base_executable))  # type: ignore[attr-defined]
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.parametrize("uid", [0, UID])
def test_with_the_interpreter_of_the_distribution(uid: int) -> None:
    if os.geteuid() != 0 or not has_same_version(SYSTEM_PYTHON):
        return  # it is tested where it is what runs the tests
    done = run("test_bubblewrap.py", uid=uid, python=str(SYSTEM_PYTHON))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
