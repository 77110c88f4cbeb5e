"""Reads the facts of this host that a diagnosis needs."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from pytest_llmbench.sandbox import cgroup
from pytest_llmbench.sandbox.api import Limits
from pytest_llmbench.sandbox.diagnosis import HostFacts
from pytest_llmbench.sandbox.seccomp import ARCHITECTURES

VERSION_S = 30.0


def read_facts() -> HostFacts:
    """Return the facts; those that cannot be read are None."""
    bwrap = shutil.which("bwrap", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/bin", "/bin"]))
    return HostFacts(
        system=platform.system(),
        machine=platform.machine(),
        machines=tuple(sorted(ARCHITECTURES)),
        distributions=_distributions(),
        bwrap=bwrap,
        version=_version(bwrap) if bwrap else None,
        container=any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))) or "container" in os.environ,
        root=os.geteuid() == 0,
        max_user_namespaces=_setting("user/max_user_namespaces"),
        unprivileged_userns_clone=_setting("kernel/unprivileged_userns_clone"),
        apparmor_restrict=_setting("kernel/apparmor_restrict_unprivileged_userns"),
    )


def _distributions() -> tuple[str, ...]:
    try:
        about = platform.freedesktop_os_release()
    except OSError:
        return ()
    return (about["ID"], *about.get("ID_LIKE", "").split())


def _version(bwrap: str) -> tuple[int, ...] | None:
    try:
        said = subprocess.run(  # noqa: S603 - found on PATH, as any program is
            [bwrap, "--version"], capture_output=True, text=True, timeout=VERSION_S, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    numbers = re.findall(r"\d+", said)
    return tuple(map(int, numbers[:3])) or None


def _setting(name: str) -> int | None:
    try:
        return int((Path("/proc/sys") / name).read_text())
    except (OSError, ValueError):
        return None


def find_cgroup_parent() -> Path | None:
    """Return the folder in which cgroups with limits can be made, or None; tried, not only looked at."""
    try:
        texts = Path("/proc/self/cgroup").read_text(), Path("/proc/self/mountinfo").read_text()
    except OSError:
        return None
    parent = cgroup.find_delegated(*texts)
    if parent is None:
        return None
    try:
        cgroup.make_cgroup(parent, Limits()).remove()
    except OSError:
        return None
    return parent
