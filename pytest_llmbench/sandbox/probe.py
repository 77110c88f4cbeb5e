"""Runs inside, in the candidate's place, and tells over the channel what it could reach. Trusted; see `preflight.py`."""

# Descriptors, links and process entries are what this is about; pathlib hides them and is slow to import.
# ruff: noqa: PTH108, PTH112, PTH118, PTH123, PTH208

from __future__ import annotations

import ctypes
import json
import os
import socket
from collections.abc import Callable
from functools import partial
from typing import Any

CLONE_NEWUSER = 0x10000000
KEYCTL_GET_KEYRING_ID = 0
SESSION_KEYRING = -3
WAIT_S = 2.0
SYSCALLS = {"x86_64": {"keyctl": 250, "io_uring_setup": 425}, "aarch64": {"keyctl": 219, "io_uring_setup": 425}}

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Read what to try, try all of it, say what came of it."""
    channel = socket.socket(fileno=3)
    facts = json.loads(channel.makefile("rb").readline())
    said = {
        "reached": [name for name, attempt in attempts(facts).items() if _works(attempt)],
        "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdigit()),
        "descriptors": sorted(int(name) for name in os.listdir("/proc/self/fd")),
        "interfaces": [name for _, name in socket.if_nameindex()],
        "environment": sorted(os.environ),
        "status": _status(),
        "volumes": {path: _size(path) for path in facts["volumes"]},
        "packages": [name for path in facts["masked"] if os.path.isdir(path) for name in os.listdir(path)],
        "hostname": socket.gethostname(),
        "pid": os.getpid(),
        "usable": [name for name, attempt in needs().items() if _works(attempt)],
    }
    channel.sendall(json.dumps(said).encode() + b"\n")
    channel.recv(1)  # stay until looked at from outside


def attempts(facts: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """Return what must fail, by name; each raises if it does."""
    table: dict[str, Callable[[], object]] = {
        "a TCP port of the host": lambda: socket.create_connection(("127.0.0.1", facts["port"]), WAIT_S),
        "an abstract socket of the host": lambda: _unix("\0" + facts["abstract"]),
        "AF_VSOCK": lambda: socket.socket(40, socket.SOCK_STREAM),
        "a packet socket": lambda: socket.socket(17, socket.SOCK_RAW),
        "a new user namespace": lambda: _must(_libc.unshare(CLONE_NEWUSER)),
        "a keyring": lambda: _must(_syscall("keyctl", KEYCTL_GET_KEYRING_ID, SESSION_KEYRING, 1)),
        "io_uring": lambda: _must(_syscall("io_uring_setup", 0, 0)),
        "memfd_create": lambda: os.memfd_create("x"),
        "the memory of process 1": lambda: _read("/proc/1/mem"),
        "the environment of process 1": lambda: _read("/proc/1/environ"),
        "writing core_pattern": lambda: os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)),
        "a mount": lambda: _must(_libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)),
        "becoming root": lambda: os.setuid(0),
    }
    table |= {f"reading {path}": partial(_read, path) for path in facts["unreadable"]}
    return table | {f"writing in {path}": partial(_write, path) for path in facts["unwritable"]}


def needs() -> dict[str, Callable[[], object]]:
    """Return what must work, by name; each raises if it does not."""
    return {
        "loopback": _loopback,
        "/work": lambda: _write("/work"),
        "/tmp": lambda: _write("/tmp"),  # noqa: S108 - the sandbox's own
        "/dev/shm": lambda: _write("/dev/shm"),  # noqa: S108
        "threads": lambda: __import__("_thread").start_new_thread(int, ()),
    }


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, OverflowError):
        return False
    return True


def _syscall(name: str, *args: int) -> int:
    return int(_libc.syscall(SYSCALLS[os.uname().machine][name], *args))


def _must(result: int) -> None:
    # EFAULT and EINVAL come from a call that was let through
    if result < 0 and ctypes.get_errno() not in (14, 22):
        raise OSError(ctypes.get_errno(), "refused")


def _unix(address: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(address)


def _loopback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), WAIT_S).close()


def _read(path: str) -> None:
    if os.path.isdir(path):
        os.listdir(path)
    else:
        os.close(os.open(path, os.O_RDONLY))


def _write(folder: str) -> None:
    path = os.path.join(folder, "llmbench-probe")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
    os.unlink(path)


def _size(path: str) -> int:
    volume = os.statvfs(path)
    return volume.f_blocks * volume.f_frsize


def _status() -> dict[str, str]:
    with open("/proc/self/status") as file:
        rows = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    return {name: rows.get(name, "") for name in ("NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapAmb")}


if __name__ == "__main__":
    main()
