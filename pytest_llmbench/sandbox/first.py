"""The trusted first program of a job: it runs inside, as process 1 of the sandbox, and starts the candidate.

It is started as a plain file with the sandbox's interpreter (`python -I -S -E -B first.py ROLE WORK`), knows only the
standard library, and speaks over the socket that it finds as standard input; `protocol.py` tells what is said.
It never leaves before the grader does: the end of that socket ends it, and with it everything in the sandbox.
"""

# Descriptors, links and process entries are what this is about; pathlib hides them and is slow to import.
# ruff: noqa: PTH103, PTH112, PTH118, PTH120, PTH123, PTH208

from __future__ import annotations

import array
import ctypes
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
COMMAND_NOT_FOUND = 127
CANDIDATE_FDS = 4
"""0 /dev/null, 1 stdout, 2 stderr, 3 the channel."""


def main(role: str, work: str) -> None:
    """Prove the start, take the job, run it, tell how it ended, and stay until the grader lets go."""
    libc = ctypes.CDLL(None)
    # The candidate has our uid: without this it could read and write our memory through /proc/1/mem.
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    if role == "subreaper":
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # process 1 is only safe from signals that it does not handle
    control = socket.socket(fileno=os.dup(0))
    _prove_start(control, role, work)
    job, fds = _receive_job(control)
    try:
        _write_files(work, job, control)
        pid = _start(job, work, fds)
    except OSError as error:
        _say(control, {"refused": f"{error.strerror}: {error.filename or ''}"})
        pid = 0
    for fd in fds:
        os.close(fd)
    if pid:
        _say(control, {"started": pid})
    _watch(control, pid, float(job["lifetime_s"]))
    if role == "subreaper":
        _kill_descendants()
        _remove_if_forgotten(control, work)
    os._exit(0)


def _prove_start(control: socket.socket, role: str, work: str) -> None:
    paths = [work, "/proc"] if role == "subreaper" else [work, "/proc", "/tmp", "/dev/shm"]  # noqa: S108
    fds = [os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in paths if os.path.isdir(path)]
    if role == "init":
        fds.append(os.open("/proc/self/ns/net", os.O_RDONLY))
    control.sendmsg([b'{"proof":1}\n'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
    for fd in fds:
        os.close(fd)


def _receive_job(control: socket.socket) -> tuple[dict[str, Any], list[int]]:
    size = struct.calcsize("!I")
    head, ancillary, _, _ = control.recvmsg(size, socket.CMSG_SPACE(3 * 4), socket.MSG_WAITALL)
    if len(head) < size:
        os._exit(1)  # the grader is gone
    fds = array.array("i")
    for _level, _kind, data in ancillary:
        fds.frombytes(data)
    (length,) = struct.unpack("!I", head)
    return json.loads(_read(control, length)), list(fds)


def _read(control: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = control.recv(min(length - len(data), 1 << 20))
        if not part:
            os._exit(1)
        data += part
    return data


def _write_files(work: str, job: dict[str, Any], control: socket.socket) -> None:
    failure: OSError | None = None
    for path, size, mode in job["files"]:
        content = _read(control, size)  # read on after a failure, so that the grader is not left writing
        try:
            place = os.path.join(work, path)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
            with os.fdopen(fd, "wb") as file:
                file.write(content)
        except OSError as error:
            error.filename = path
            failure = failure or error
    if failure is not None:
        raise failure


def _start(job: dict[str, Any], work: str, fds: list[int]) -> int:
    null = os.open("/dev/null", os.O_RDONLY)
    channel, out, err = fds
    pid = os.fork()
    if pid == 0:
        _become_candidate(job, work, (null, out, err, channel))
    os.close(null)
    return pid


def _become_candidate(job: dict[str, Any], work: str, fds: tuple[int, ...]) -> NoReturn:
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        os.setsid()
        high = [os.dup2(fd, 100 + number) for number, fd in enumerate(fds)]
        for number, fd in enumerate(high):
            os.dup2(fd, number)
        os.closerange(CANDIDATE_FDS, 4096)
        for number in range(1, signal.NSIG):
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                _default(number)
        _offer_to_oom_killer()
        os.chdir(work)
        os.umask(0o022)
        for name, soft, hard in job["rlimits"]:
            kind = getattr(resource, name, None)
            if kind is not None:
                present = resource.getrlimit(kind)[1]
                top = hard if present == resource.RLIM_INFINITY else min(hard, present)
                resource.setrlimit(kind, (min(soft, top), top))
        os.execvpe(job["argv"][0], job["argv"], job["env"])  # noqa: S606 - what the sandbox is for
    except BaseException as error:  # noqa: BLE001 - whatever it was, the child must not return into the parent's code
        os.write(2, f"cannot start {job['argv'][0]!r}: {error}\n".encode())
    os._exit(COMMAND_NOT_FOUND)


def _default(number: int) -> None:
    with suppress(OSError, ValueError):  # the C library keeps two real-time signals for itself
        signal.signal(number, signal.SIG_DFL)


def _offer_to_oom_killer() -> None:
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # absent outside Linux
        file.write("1000")


def _watch(control: socket.socket, candidate: int, lifetime_s: float) -> None:
    """Reap, report and obey until the grader lets go, or until it must have forgotten us."""
    wake, woken = socket.socketpair()
    woken.setblocking(False)  # noqa: FBT003 - the only way to say it
    wake.setblocking(False)  # noqa: FBT003
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    end = time.monotonic() + lifetime_s
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(wake, select.POLLIN)
    commands = b""
    while time.monotonic() < end:
        candidate = _reap(control, candidate)
        ready = dict(poll.poll(1000 * max(0.0, min(60.0, end - time.monotonic()))))
        if wake.fileno() in ready:
            wake.recv(4096)
        if control.fileno() in ready:
            part = control.recv(4096)
            if not part:
                return
            *lines, commands = (commands + part).split(b"\n")
            for line in lines:
                if candidate:
                    os.kill(candidate, json.loads(line)["signal"])


def _reap(control: socket.socket, candidate: int) -> int:
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return candidate
        if pid == 0:
            return candidate
        if pid == candidate:
            candidate = 0
            code = os.waitstatus_to_exitcode(status)
            _say(
                control,
                {
                    "status": code if code >= 0 else None,
                    "signal": -code if code < 0 else None,
                    "cpu_s": usage.ru_utime + usage.ru_stime,
                },
            )


def _say(control: socket.socket, message: dict[str, Any]) -> None:
    try:
        control.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        os._exit(1)  # the grader is gone


def _kill_descendants() -> None:
    """Kill every child until there is none; orphans become our children, for we are their subreaper."""
    me = str(os.getpid())
    while True:
        for entry in os.listdir("/proc"):
            if entry.isdigit() and _parent(entry) == me:
                with suppress(OSError):  # it went by itself
                    os.kill(int(entry), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _remove_if_forgotten(control: socket.socket, work: str) -> None:
    """Remove the working folder if the grader died and cannot do it itself."""
    try:
        control.sendall(b'{"bye":1}\n')
    except OSError:
        import shutil  # noqa: PLC0415 - rarely needed, and the start is timed

        shutil.rmtree(os.path.dirname(work), ignore_errors=True)


def _parent(pid: str) -> str | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[1].decode()
    except (OSError, IndexError):
        return None


if __name__ == "__main__":
    main(*sys.argv[1:])
