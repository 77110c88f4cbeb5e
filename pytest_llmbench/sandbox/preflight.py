"""Proves from inside, once for each opened sandbox, that it holds what it promises on this host."""

# Descriptors, links and process entries are what this is about; pathlib hides them and is slow to import.
# ruff: noqa: PTH101

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest_llmbench
from pytest_llmbench.errors import AnswerFault, SandboxError
from pytest_llmbench.sandbox import probe
from pytest_llmbench.sandbox.api import MIB, Job, Limits, Process, Sandbox
from pytest_llmbench.sandbox.interpreter import Interpreter

PROOF_S = 60.0
LIMITS = Limits(wall_s=PROOF_S, disk_bytes=4 * MIB)
VOLUMES = ("/work", "/tmp", "/dev/shm")  # noqa: S108 - the sandbox's own

_NO_POWER = "0000000000000000"
_STATUS = {"NoNewPrivs": "1", "Seccomp": "2", **dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapAmb"), _NO_POWER)}
_ENVIRONMENT = {"PATH", "HOME", "LANG", "TMPDIR", "PYTHONDONTWRITEBYTECODE", "PWD", "LC_CTYPE"}
_DESCRIPTORS = {0, 1, 2, 3}
_USABLE = {"loopback", *VOLUMES, "threads"}


class LeakError(SandboxError):
    """The sandbox starts but does not keep the candidate in; no setting of the host is known to cause it."""


def prove(sandbox: Sandbox, interpreter: Interpreter) -> None:
    """Run the probe.

    Raises:
        LeakError: it leaks; the message says what was reached.
        SandboxError: it does not start.
    """
    with _bait() as bait:
        facts = {
            **bait,
            "volumes": VOLUMES,
            "masked": [str(mask) for mask in interpreter.masks],
            "unwritable": [
                "/",
                "/usr",
                "/etc",
                "/dev",
                "/trusted",
                "/dist",
                "/run",
                str(interpreter.executable.parent),
            ],
        }
        facts["unreadable"] = [*facts["unreadable"], *_private_places()]
        job = Job(
            ["{python}", "-I", "-S", "-B", "{trusted}/probe.py"],
            trusted={"probe.py": Path(probe.__file__).read_bytes()},
            limits=LIMITS,
        )
        with sandbox.start(job) as process:
            said = _ask(process, facts)
            faults = find_faults(said)
            if not process.tasks():
                faults.append("its processes cannot be seen from outside")
    if faults:
        raise LeakError(f"the sandbox does not hold on this host: {'; '.join(faults)}")


def find_faults(said: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the probe's findings; pure."""
    faults = [f"it reached {name}" for name in said["reached"]]
    faults += [f"{name} does not work" for name in sorted(_USABLE - set(said["usable"]))]
    faults += [f"{name} is {value}" for name, value in said["status"].items() if value != _STATUS[name]]
    faults += [
        f"{path} holds {size} bytes" for path, size in said["volumes"].items() if not 0 < size <= LIMITS.disk_bytes
    ]
    rest = {
        "processes": set(said["processes"]) - {1, said["pid"]},
        "network interfaces": set(said["interfaces"]) - {"lo"},
        "environment variables": set(said["environment"]) - _ENVIRONMENT,
        # one more is the listing itself
        "open descriptors": set(said["descriptors"][:-1]) - _DESCRIPTORS,
        "installed packages": set(said["packages"]),
    }
    faults += [f"it sees {what}: {', '.join(map(str, sorted(seen)))}" for what, seen in rest.items() if seen]
    return faults


def _ask(process: Process, facts: Mapping[str, Any]) -> dict[str, Any]:
    process.send(json.dumps(facts).encode() + b"\n")
    try:
        line = process.receive_line(PROOF_S)
    except (TimeoutError, AnswerFault) as error:
        raise SandboxError(f"the probe inside the sandbox did not answer: {error}") from error
    if line is None:
        noise = process.output()[1].decode(errors="replace").strip().splitlines()
        raise SandboxError(f"the probe inside the sandbox died: {noise[-1] if noise else process.wait(PROOF_S)}")
    said: dict[str, Any] = json.loads(line)
    return said


def _private_places() -> list[str]:
    """Return folders of the grader's that nobody inside may see; parents of the interpreter's folder may show up empty."""
    package = Path(pytest_llmbench.__file__).resolve().parent
    places = [package / "__init__.py", package.parent / "suites", "/proc/1/root/etc/shadow"]
    if sys.prefix != sys.base_prefix:
        places.append(Path(sys.prefix) / "pyvenv.cfg")
    with suppress(RuntimeError):  # a user without a home
        places += [Path.home() / name for name in (".profile", ".bashrc", ".ssh", ".gitconfig", ".netrc")]
    return [str(place) for place in places]


@contextmanager
def _bait() -> Iterator[dict[str, Any]]:
    """Put things outside that everybody may read, write and connect to."""
    with (
        tempfile.TemporaryDirectory(prefix="llmbench-") as folder,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_UNIX) as named,
    ):
        os.chmod(folder, 0o777)  # noqa: S103 - only the sandbox is to keep the candidate out
        bait = Path(folder) / "bait"
        bait.write_text("bait")
        name = f"llmbench-{secrets.token_hex(8)}"
        abstract.bind("\0" + name)
        abstract.listen()
        named.bind(f"{folder}/socket")
        named.listen()
        os.chmod(f"{folder}/socket", 0o777)  # noqa: S103
        yield {
            "port": server.getsockname()[1],
            "abstract": name,
            "socket": f"{folder}/socket",
            "unreadable": [str(bait), folder],
        }
