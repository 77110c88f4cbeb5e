"""Proves from inside, once for each opened sandbox, that it holds what it promises on this host."""

from __future__ import annotations

import json
import secrets
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

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
_HOST_PLACES = (
    *(
        f"/etc/{name}"
        for name in ("hostname", "machine-id", "fstab", "issue", "shells", "ssh", "shadow", "ssl/private")
    ),
    *("/sys", "/boot", "/home", "/mnt", "/srv", "/run/systemd", "/run/docker.sock", "/var/lib", "/var/log"),
)
"""What most hosts have and everybody may look at."""
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
            "unreadable": [*_host_places(interpreter), *_private_places()],
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


def _host_places(interpreter: Interpreter) -> list[str]:
    """Return what must not be seen; folders on the way to the interpreter are there, but hold nothing else."""
    return [place for place in _HOST_PLACES if not any(found.is_relative_to(place) for found in interpreter.folders)]


def _private_places() -> list[str]:
    """Return folders of the grader's that nobody inside may see; parents of the interpreter's folder may show up empty."""
    package = Path(__file__).resolve().parents[1]
    places = [package / "__init__.py", package.parent / "suites", "/proc/1/root/etc/shadow"]
    if sys.prefix != sys.base_prefix:
        places.append(Path(sys.prefix) / "pyvenv.cfg")
    with suppress(RuntimeError):  # a user without a home
        places += [Path.home() / name for name in (".profile", ".bashrc", ".ssh", ".gitconfig", ".netrc")]
    return [str(place) for place in places]


@contextmanager
def _bait() -> Iterator[dict[str, Any]]:
    """Listen where nobody inside may get through; nothing of it is a file that could be left behind."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        name = f"llmbench-{secrets.token_hex(8)}"
        abstract.bind("\0" + name)
        abstract.listen()
        yield {"port": server.getsockname()[1], "abstract": name}
