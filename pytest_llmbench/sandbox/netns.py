"""Trusted entry program of a driver: joins the candidate's network namespace, gives up its powers, runs the script.

Started as `python netns.py NETNS_FD SOCKET_FD PARENT_PID SCRIPT ARG…`; NETNS_FD is -1 where the candidate shares our
network. It is run as a file and imports nothing of the package, so that it can be read in one go.
"""

# Descriptors, links and process entries are what this is about; pathlib hides them and is slow to import.
# ruff: noqa: PTH120

from __future__ import annotations

import ctypes
import fcntl
import os
import runpy
import signal
import sys
from typing import NoReturn

CLONE_NEWNET = 0x40000000
CLONE_NEWUSER = 0x10000000
NS_GET_USERNS = 0xB701
PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
CAP_DAC_READ_SEARCH = 2
CAP_LAST_KNOWN = 63
CAPABILITY_VERSION_3 = 0x20080522
SCRIPT_SOCKET_FD = 3
NOT_JOINED = 125
"""Exit status if the script was never run."""

_libc = ctypes.CDLL(None, use_errno=True)


def main(netns_fd: int, socket_fd: int, parent_pid: int, script: str) -> None:
    """Become the driver."""
    if netns_fd >= 0:
        join_network(netns_fd)
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent_pid:
            fail("the grader is gone")
    move_socket(socket_fd)
    sys.argv = [script, *sys.argv[5:]]
    sys.path[0] = os.path.dirname(script)
    runpy.run_path(script, run_name="__main__")


def join_network(netns_fd: int) -> None:
    """Join the namespace, and keep no power in it.

    A plain user may only join through the user namespace that owns it; root joins directly, so that files stay its own.
    """
    if os.geteuid() != 0 or not _setns(netns_fd, CLONE_NEWNET):
        try:
            owner_fd = fcntl.ioctl(netns_fd, NS_GET_USERNS)
        except OSError as error:
            fail(f"cannot find the owner of the candidate's network namespace: {error}")
        if not _setns(owner_fd, CLONE_NEWUSER) or not _setns(netns_fd, CLONE_NEWNET):
            number = ctypes.get_errno()
            fail(f"cannot join the candidate's network namespace: {os.strerror(number)}")
        os.close(owner_fd)
    os.close(netns_fd)
    keep = 1 << CAP_DAC_READ_SEARCH if os.geteuid() == 0 else 0
    for capability in range(CAP_LAST_KNOWN + 1):
        if not keep >> capability & 1:
            _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(keep, keep, 0, 0, 0, 0)
    if _libc.capset(header, data) != 0 or _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        fail(f"cannot give up capabilities: {os.strerror(ctypes.get_errno())}")


def fail(why: str) -> NoReturn:
    """End before the script."""
    sys.stderr.write(f"{why}\n")
    sys.exit(NOT_JOINED)


def _setns(fd: int, kind: int) -> bool:
    return int(_libc.setns(fd, kind)) == 0


def move_socket(socket_fd: int) -> None:
    """Put the socket to the judge where the script looks for it."""
    if socket_fd != SCRIPT_SOCKET_FD:
        os.dup2(socket_fd, SCRIPT_SOCKET_FD, inheritable=False)
        os.close(socket_fd)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
