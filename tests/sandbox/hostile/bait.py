"""A host full of things that no candidate may get at, and the look afterwards whether one did."""

from __future__ import annotations

import os
import secrets
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECRET_VARIABLE = "LLMBENCH_TEST_SECRET"  # noqa: S105 - the name of it


@dataclass
class Bait:
    """What lies about on the host."""

    secret: str
    folder: Path
    sockets: dict[str, socket.socket]
    victim: subprocess.Popen[bytes]
    facts: dict[str, Any] = field(default_factory=dict)

    def harm(self) -> list[str]:
        """Return what happened to the bait."""
        found = [f"{name} was reached" for name, one in self.sockets.items() if select.select([one], [], [], 0)[0]]
        if sorted(path.name for path in self.folder.iterdir()) != ["secret.txt", "socket"]:
            found.append(f"the folder holds {sorted(path.name for path in self.folder.iterdir())}")
        if (self.folder / "secret.txt").read_text() != self.secret:
            found.append("the secret file was changed")
        if self.victim.poll() is not None:
            found.append("the bystander process was killed")
        return found


@contextmanager
def bait(folder: Path) -> Iterator[Bait]:
    secret = f"secret-{secrets.token_hex(8)}"
    with ExitStack() as stack:
        folder.chmod(0o777)
        (folder / "secret.txt").write_text(secret)
        (folder / "secret.txt").chmod(0o666)
        stack.enter_context(_environment(secret))
        inherited = os.open(folder / "secret.txt", os.O_RDWR)
        stack.callback(os.close, inherited)
        os.set_inheritable(inherited, True)  # noqa: FBT003 - the only way to say it
        victim = subprocess.Popen([sys.executable, "-c", "input()", f"victim-{secret}"], stdin=subprocess.PIPE)
        stack.callback(_end, victim)
        sockets = _sockets(stack, folder)
        facts = {
            "secret": secret,
            "secret_file": str(folder / "secret.txt"),
            "folder": str(folder),
            "variable": SECRET_VARIABLE,
            "fd": inherited,
            "victim": victim.pid,
            "grader": os.getpid(),
            "home": str(Path.home()),
            "project": str(Path(__file__).resolve().parents[3]),
            "packages": str(Path(os.__file__).parent / "site-packages"),
            "environment": sys.prefix,
            "tcp": sockets["the TCP port"].getsockname()[1],
            "udp": sockets["the UDP port"].getsockname()[1],
            "abstract": sockets["the abstract socket"].getsockname()[1:].decode(),
            "socket": str(folder / "socket"),
            "addresses": _addresses(),
        }
        yield Bait(secret, folder, sockets, victim, facts)


@contextmanager
def _environment(secret: str) -> Iterator[None]:
    os.environ[SECRET_VARIABLE] = secret
    try:
        yield
    finally:
        del os.environ[SECRET_VARIABLE]


def _sockets(stack: ExitStack, folder: Path) -> dict[str, socket.socket]:
    tcp = stack.enter_context(socket.create_server(("", 0)))
    udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    udp.bind(("", 0))
    abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
    abstract.bind(f"\0llmbench-test-{secrets.token_hex(8)}")
    abstract.listen()
    named = stack.enter_context(socket.socket(socket.AF_UNIX))
    named.bind(str(folder / "socket"))
    named.listen()
    (folder / "socket").chmod(0o777)
    return {"the TCP port": tcp, "the UDP port": udp, "the abstract socket": abstract, "the socket file": named}


def _addresses() -> list[str]:
    """Return addresses of this host that are not loopback's, if it has any."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return ["127.0.0.1"]
        return ["127.0.0.1", probe.getsockname()[0]]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdin:
        process.stdin.close()
