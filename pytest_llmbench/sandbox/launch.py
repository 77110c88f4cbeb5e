"""Trusted launcher for a grader that is root: stages the files, drops to a plain user, becomes bubblewrap.

Never run bubblewrap as real root: /proc/sys/kernel/core_pattern opens for writing and RLIMIT_NPROC is ignored. Files
under /root cannot be reached after the drop, so they are bind-mounted before, in a mount namespace of our own that
leaves nothing behind. Run as a file (`python -I -S -E -B launch.py SPEC_FD`), standard library only.
"""

# Descriptors, links and process entries are what this is about; pathlib hides them and is slow to import.
# ruff: noqa: PTH102

from __future__ import annotations

import ctypes
import json
import os
import stat
import sys
from typing import NoReturn

STAGE = "/tmp/stage"  # noqa: S108 - on a file system that only we and our children see
CLONE_NEWNS = 0x00020000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x1000, 0x4000, 0x40000
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
CAP_LAST_KNOWN = 63
FAILED = 125

_libc = ctypes.CDLL(None, use_errno=True)


def main(spec_fd: int) -> NoReturn:
    """Do it all; standard error says what failed."""
    with open(spec_fd) as file:
        spec = json.load(file)
    try:
        stage(spec["stage"])
        drop(spec["uid"])
        os.execve(spec["argv"][0], spec["argv"], {})  # noqa: S606 - what it is for
    except OSError as error:
        sys.stderr.write(f"launch: {error}\n")
    os._exit(FAILED)


def stage(sources: list[str]) -> None:
    """Bind each source at STAGE/<its index>, in a private mount namespace."""
    _call("unshare", _libc.unshare(CLONE_NEWNS))
    _mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    found = [os.open(source, os.O_PATH) for source in sources]  # before /tmp is covered: they may lie there
    _mount(b"tmpfs", b"/tmp", b"tmpfs", MS_NOSUID | MS_NODEV, b"size=1m,mode=0755")
    os.mkdir(STAGE, 0o755)
    for index, fd in enumerate(found):
        place = f"{STAGE}/{index}"
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            os.mkdir(place, 0o755)
        else:
            os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))
        _mount(f"/proc/self/fd/{fd}".encode(), place.encode(), None, MS_BIND, None)
        os.close(fd)


def drop(uid: int) -> None:
    """Give up root for good: no groups, no capabilities, and no way to get them back."""
    for capability in range(CAP_LAST_KNOWN + 1):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    _call("no_new_privs", _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    os.umask(0o022)


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None) -> None:
    _call(f"mount on {target.decode()}", _libc.mount(source, target, kind, ctypes.c_ulong(flags), data))


def _call(what: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
