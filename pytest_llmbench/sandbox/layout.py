"""From a job to bubblewrap's options; pure.

What untrusted code finds: /usr, /bin, /lib*, a made-up /etc and the interpreter, read-only and without site-packages;
/dist with the distributions asked for; /trusted with the judge's files; and /work, /tmp and /dev/shm to write to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_llmbench.sandbox.api import MIB, WORK, Limits

TRUSTED = "/trusted"
DIST = "/dist"
FIRST = "/first.py"
INSIDE_ID = "1000"
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - all three are the sandbox's own
TEMPORARY = "/tmp"  # noqa: S108
OLD_TEMPORARY = "/var/tmp"  # noqa: S108
HOSTNAME = "candidate"

ETC = {
    "/etc/passwd": b"root:x:0:0::/:/bin/false\ncandidate:x:1000:1000::/work:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n",
    "/etc/group": b"root:x:0:\ncandidate:x:1000:\nnogroup:x:65534:\n",
    "/etc/hosts": b"127.0.0.1 localhost candidate\n::1 localhost\n",
    "/etc/nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\n",
}
"""Made up, because the host's would tell who works there."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides about the mounts of one job."""

    binds: Sequence[tuple[str, str]]
    """Source on the host (or staged), place inside; read-only."""
    links: Sequence[tuple[str, str]]
    """Target, place inside."""
    masks: Sequence[str]
    """Folders that are to be empty inside."""
    data: Mapping[str, int]
    """Place inside -> descriptor that its content is read from; read-only."""
    limits: Limits = field(default_factory=Limits)


def options(plan: Plan, *, seccomp_fd: int) -> list[str]:
    """Return bubblewrap's options, without the command."""
    mounts: list[str] = []
    for target, place in plan.links:
        mounts += ["--symlink", target, place]
    for source, place in plan.binds:
        mounts += ["--ro-bind", source, place]
    for place in plan.masks:
        mounts += ["--tmpfs", place, "--remount-ro", place]
    for place, fd in plan.data.items():
        mounts += ["--perms", "0444", "--file", str(fd), place]
    return [
        *_NAMESPACES,
        "--dir", "/etc", "--dir", "/run", "--dir", "/var", "--symlink", TEMPORARY, OLD_TEMPORARY, "--dir", TRUSTED, "--dir", DIST,
        *mounts,
        "--proc", "/proc",
        "--dev", "/dev",
        *_volume(SHARED_MEMORY, plan.limits.disk_bytes),
        *_volume(TEMPORARY, plan.limits.disk_bytes),
        *_volume(WORK, plan.limits.disk_bytes),
        "--remount-ro", "/dev",
        "--remount-ro", "/",
        "--chdir", WORK,
        "--seccomp", str(seccomp_fd),
    ]  # fmt: skip


# Neither --die-with-parent nor --info-fd (with its SIGPIPE): if bubblewrap is killed between its clone and the moment when
# it lets the clone run on, that one waits for ever. The first program ends by itself when the grader's end of its socket
# is gone.
_NAMESPACES = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
    "--disable-userns",
    "--uid", INSIDE_ID, "--gid", INSIDE_ID,
    "--hostname", HOSTNAME,
    "--cap-drop", "ALL",
    "--new-session",
    "--as-pid-1",
)  # fmt: skip


def _volume(place: str, size_bytes: int) -> list[str]:
    return ["--size", str(size_bytes), "--tmpfs", place]


def rlimits(limits: Limits, *, extra_processes: int | None = 1) -> tuple[tuple[str, int, int], ...]:
    """Return what the candidate's first process sets for itself and for all that come from it: name, soft, hard.

    Args:
        limits: of the job.
        extra_processes: processes of the same user that are not the candidate's, the first program for one; None to
            set no limit on processes, where the user has others.
    """
    loose_bytes = max(4096 * MIB, 16 * limits.memory_bytes)  # a tight RLIMIT_AS hits thread stacks long before memory
    same = [
        ("RLIMIT_NOFILE", limits.open_files),
        ("RLIMIT_AS", loose_bytes),
        ("RLIMIT_FSIZE", limits.disk_bytes),
        ("RLIMIT_CORE", 1),  # not 0: with 0 the kernel still starts a core_pattern pipe
        ("RLIMIT_MEMLOCK", 64 * 1024),
        ("RLIMIT_MSGQUEUE", 0),
        ("RLIMIT_SIGPENDING", 256),
        ("RLIMIT_NICE", 0),
        ("RLIMIT_RTPRIO", 0),
    ]
    if extra_processes is not None:
        same.append(("RLIMIT_NPROC", limits.processes + extra_processes))
    # the softer one tells by its signal, SIGXCPU, what ended the process
    return (("RLIMIT_CPU", limits.cpu_s, limits.cpu_s + 1), *((name, limit, limit) for name, limit in same))
