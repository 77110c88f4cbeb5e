"""Runs inside the sandbox as the user on the PC: makes the package, as often as asked, and reports what lies there.

The candidate's script is a process of its own. It holds no descriptor of the channel and, as this process is not
dumpable, cannot look into it or write to it.
"""

# Descriptors and hostile folders are what this is about; pathlib hides them.
# ruff: noqa: PTH118

from __future__ import annotations

import base64
import ctypes
import json
import os
import stat
import subprocess
import sys
from typing import Any

CHANNEL = 3
PR_SET_DUMPABLE = 4
SCRIPT = "make_package.sh"
PACKAGE = "ethminer"
MINER = "ethminer/ethminer"
MAX_ENTRIES = 300
MAX_FILE_BYTES = 1 << 20
MAX_TOTAL_BYTES = 4 << 20


def say(value: Any) -> None:
    """Send one JSON value to the judge."""
    data = json.dumps(value).encode() + b"\n"
    while data:
        data = data[os.write(CHANNEL, data) :]


def run_script(limit_s: float) -> int | None:
    """Return the script's exit status; None if it did not end in time."""
    bash = ["bash", SCRIPT]
    process = subprocess.Popen(bash, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - what it is for
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return None


def list_package() -> dict[str, Any]:
    """Return path -> kind, permissions and content of what lies in the package's folder."""
    found: dict[str, Any] = {}
    left_bytes = MAX_TOTAL_BYTES
    folders = [PACKAGE]
    if not stat.S_ISDIR(_mode(PACKAGE)):
        return {}
    while folders:
        folder = folders.pop()
        for name in sorted(_names(folder)):
            path = os.path.join(folder, name)
            mode = _mode(path)
            if stat.S_ISDIR(mode):
                folders.append(path)
                continue
            content = _content(path, min(MAX_FILE_BYTES, left_bytes)) if stat.S_ISREG(mode) else None
            left_bytes -= len(content or b"")
            found[_text(path)] = {
                "kind": stat.filemode(mode)[0],
                "mode": stat.S_IMODE(mode),
                "content": None if content is None else base64.b64encode(content).decode(),
            }
            if len(found) >= MAX_ENTRIES:
                return found
    return found


def put_miner() -> bytes | None:
    """Copy a miner into the package; return its content, None if there is no place for it."""
    content = os.urandom(64)
    try:
        fd = os.open(MINER, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o755)
    except OSError:
        return None
    with os.fdopen(fd, "wb", buffering=0) as file:
        file.write(content)
    return content


def _names(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry, _ in zip(entries, range(MAX_ENTRIES), strict=False)]
    except OSError:
        return []


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0


def _content(path: str, max_bytes: int) -> bytes | None:
    """Return a file's content; None if it is too big or cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb", buffering=0) as file:
            if os.fstat(fd).st_size > max_bytes:
                return None
            return file.read(max_bytes)
    except OSError:
        return None


def _text(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def main(runs: int, limit_s: float) -> None:
    """Run the script `runs` times, with a miner put into the package after the first time."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    os.set_inheritable(CHANNEL, False)  # noqa: FBT003 - the only way to say it
    say({"ready": True})
    miner: bytes | None = None
    for number in range(runs):
        status = run_script(limit_s)
        kept = None if miner is None else _content(MINER, len(miner)) == miner
        say({"status": status, "files": list_package(), "miner_kept": kept})
        if status is None:
            return
        if number == 0 and runs > 1:
            miner = put_miner()


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    main(int(sys.argv[2]), float(sys.argv[3]))
