"""Fetches a file that untrusted code wrote, without following it anywhere.

openat2 with RESOLVE_BENEATH, NO_SYMLINKS, NO_MAGICLINKS and NO_XDEV is the kernel's own promise that the path stays
below the folder whatever is renamed meanwhile.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat

from pytest_llmbench.errors import AnswerFault, SandboxError

OPENAT2 = 437
"""The same number on every architecture."""

_RESOLVE_NO_XDEV = 0x01
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_NO_SYMLINKS = 0x04
_RESOLVE_BENEATH = 0x08
_RESOLVE = _RESOLVE_NO_XDEV | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH

_ABSENT = {errno.ENOENT, errno.ENOTDIR}
_LEADS_ELSEWHERE = {errno.ELOOP: "a symbolic link is on the way", errno.EXDEV: "it leads out of the working folder"}


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long


def collect(folder_fd: int, path: str, max_bytes: int) -> bytes | None:
    """Return the content of a plain file below the folder, or None if there is none.

    Raises:
        AnswerFault: it is no plain file, leads elsewhere, is unreadable, or holds more than `max_bytes`.
        SandboxError: the kernel has no openat2 (Linux older than 5.6).
    """
    try:
        found = _open_path(folder_fd, path)
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        if error.errno in (errno.ENOSYS, errno.EPERM):
            raise SandboxError("openat2 is refused here; wanted Linux 5.6 or newer and no filter on it") from error
        why = _LEADS_ELSEWHERE.get(error.errno or 0, error.strerror)
        raise AnswerFault(f"file {path!r} cannot be collected: {why}") from error
    try:
        return _read_plain(found, path, max_bytes)
    finally:
        os.close(found)


def _open_path(folder_fd: int, path: str) -> int:
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError as error:
        raise OSError(errno.EINVAL, "the name is no text") from error
    if b"\0" in name:
        raise OSError(errno.EINVAL, "the name holds a NUL")
    how = _OpenHow(os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, 0, _RESOLVE)
    fd: int = _syscall(OPENAT2, folder_fd, name, ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how)))
    if fd < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return fd


def _read_plain(found: int, path: str, max_bytes: int) -> bytes:
    status = os.fstat(found)
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "special file")
        raise AnswerFault(f"file {path!r} cannot be collected: it is a {kind}, wanted a plain file")
    try:
        # Through the descriptor, so that it is the file just looked at; O_NONBLOCK because a lease of the candidate's
        # on the file would otherwise hold us for lease-break-time.
        fd = os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise AnswerFault(f"file {path!r} cannot be collected: {error.strerror}") from error
    with os.fdopen(fd, "rb", buffering=0) as file:
        return _read_bounded(file.fileno(), path, max_bytes)


def _read_bounded(fd: int, path: str, max_bytes: int) -> bytes:
    data = bytearray()
    while part := os.read(fd, min(1 << 20, max_bytes + 1 - len(data))):
        data += part
        if len(data) > max_bytes:
            raise AnswerFault(f"file {path!r} cannot be collected: it holds more than {max_bytes} bytes")
    return bytes(data)


_KINDS = {
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}
