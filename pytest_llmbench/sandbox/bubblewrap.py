"""Runs untrusted code in bubblewrap."""

# Descriptors, links and process entries are what this is about; pathlib hides them and is slow to import.
# ruff: noqa: PTH110, PTH114, PTH115, PTH116

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.model.check import SandboxUse
from pytest_llmbench.sandbox import SYSTEM_PATH, cgroup, first, jobs, launch, layout, watchdog
from pytest_llmbench.sandbox.api import WORK, Job, Process, Sandbox
from pytest_llmbench.sandbox.chain import Chain, start_chain
from pytest_llmbench.sandbox.control import Proof
from pytest_llmbench.sandbox.diagnosis import certain_fault, diagnose
from pytest_llmbench.sandbox.distributions import locate
from pytest_llmbench.sandbox.host import find_cgroup_parent, read_facts
from pytest_llmbench.sandbox.interpreter import (
    SYSTEM_FOLDERS,
    Interpreter,
    find_interpreter,
    hidden_folders,
    unreadable_folder,
)
from pytest_llmbench.sandbox.preflight import LeakError, prove
from pytest_llmbench.sandbox.process import Cage, CagedProcess
from pytest_llmbench.sandbox.seccomp import ARCHITECTURES, filter_program
from pytest_llmbench.sandbox.watchdog import NamespacePopulation

ALWAYS_IN_FORCE = ("wall", "output", "rlimits", "seccomp", "namespaces", "network-namespace", "disk", "pss-watchdog")

PLAIN_UIDS = range(61184, 65520)

_ETC_OF_HOST = tuple(
    f"/etc/{name}"
    for name in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "services", "protocols")
)
_TOP_LEVEL = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all jobs of a sandbox."""

    bwrap: str
    interpreter: Interpreter
    seccomp: bytes
    drop_to_uid: int | None
    """User id to become first, or None if the grader is a plain user already."""
    masks: tuple[Path, ...]
    """Folders of the grader's below bound ones, to be empty inside."""
    cgroup_parent: Path | None = None
    """Folder that a cgroup can be made in for each job."""
    limits_in_force: tuple[str, ...] = ALWAYS_IN_FORCE
    prefix: tuple[str, ...] = ()
    """Command to put before bubblewrap."""


@dataclass(frozen=True, slots=True)
class BubblewrapSandbox(Sandbox):
    """A sandbox that has yet to be proved by `preflight`."""

    setting: Setting

    @property
    def use(self) -> SandboxUse:
        """See `Sandbox.use`."""
        return SandboxUse("bubblewrap", self.setting.limits_in_force)

    def start(self, job: Job) -> Process:
        """See `Sandbox.start`."""
        pieces = locate(tuple(job.distributions))
        python = self.setting.interpreter.executable
        places = jobs.Places(
            python=str(python),
            work=WORK,
            trusted=layout.TRUSTED,
            path=":".join(dict.fromkeys([str(python.parent), *SYSTEM_PATH.split(":")])),
            temporary="/tmp",  # noqa: S108 - the sandbox's own
            distributions=layout.DIST if pieces else None,
        )
        order = jobs.order(job, places, layout.rlimits(job.limits, extra_processes=self._extra_processes()))
        binds = [(str(piece.source), f"{layout.DIST}/{piece.place}") for piece in pieces]
        return CagedProcess(_Start(self.setting, job, binds).cage(), job, order)

    def _extra_processes(self) -> int:
        """Return how many more than the candidate's own the kernel counts: before Linux 5.14 all of the user's."""
        if watchdog.kernel_version() >= (5, 14):
            return 1
        uid = self.setting.drop_to_uid
        return 1 + watchdog.count_tasks(os.geteuid() if uid is None else uid)


@dataclass(slots=True)
class _Start:
    """The start of one job, as far as the start proof."""

    setting: Setting
    job: Job
    distributions: Sequence[tuple[str, str]]
    _passed: list[int] = field(default_factory=list)

    def cage(self) -> Cage:
        """Start the chain of programs and wait for the proof that it came through.

        Raises:
            SandboxError: it did not; the message ends with what the programs said.
        """
        try:
            chain = start_chain(self._argv(), pass_fds=tuple(self._passed))
        finally:
            for fd in self._passed:
                os.close(fd)
        proof = chain.proof()
        try:
            return self._caged(chain, proof)
        except (OSError, ValueError) as error:
            chain.give_up(proof)
            raise SandboxError(f"the sandbox started but cannot be held: {error}") from error

    def _caged(self, chain: Chain, proof: Proof) -> Cage:
        work_fd, proc_fd, *volumes, netns_fd = proof.fds
        # The first program waits for us, so the number is still its own.
        init_pid = proof.pid
        group = self._cgroup(init_pid)
        init_pidfd = os.pidfd_open(init_pid)

        def free() -> None:
            chain.free()
            if group is not None:
                group.remove()

        return Cage(
            talk=chain.talk,
            init_pid=init_pid,
            init_pidfd=init_pidfd,
            work_fd=work_fd,
            population=NamespacePopulation(proc_fd),
            netns_fd=netns_fd,
            volume_fds=(work_fd, *volumes),
            kill=lambda: _kill(init_pidfd),
            free=free,
            out_of_memory=group.ran_out_of_memory if group is not None else lambda: False,
        )

    def _cgroup(self, init_pid: int) -> cgroup.Cgroup | None:
        if self.setting.cgroup_parent is None:
            return None
        group = cgroup.make_cgroup(self.setting.cgroup_parent, self.job.limits)
        group.add(init_pid)
        return group

    def _argv(self) -> list[str]:
        setting = self.setting
        binds = [*self._system_binds(), *self.distributions]
        staged = [source for source, _ in binds if not _is_public(source)] if setting.drop_to_uid is not None else []
        stage = {source: f"{launch.STAGE}/{index}" for index, source in enumerate(staged)}
        plan = layout.Plan(
            binds=[(stage.get(source, source), place) for source, place in binds],
            links=[(os.readlink(path), path) for path in _TOP_LEVEL if os.path.islink(path)],
            masks=[str(mask) for mask in (*setting.interpreter.masks, *setting.masks)],
            data={place: self._memory(content) for place, content in self._data().items()},
            limits=self.job.limits,
        )
        listed = layout.options(plan, seccomp_fd=self._memory(setting.seccomp))
        options_fd = self._memory(b"".join(option.encode() + b"\0" for option in listed))
        python = [str(setting.interpreter.executable), "-I", "-S", "-E", "-B"]
        argv = [setting.bwrap, "--args", str(options_fd), "--", *python, layout.FIRST, "init", WORK]
        if setting.drop_to_uid is None:
            return [*setting.prefix, *argv]
        spec = {"stage": staged, "uid": setting.drop_to_uid, "argv": argv}
        return [*python, launch.__file__, str(self._memory(json.dumps(spec).encode()))]

    def _system_binds(self) -> list[tuple[str, str]]:
        top = [path for path in _TOP_LEVEL if not os.path.islink(path)]
        wanted = [*map(str, SYSTEM_FOLDERS), *top, *_ETC_OF_HOST, *map(str, self.setting.interpreter.folders)]
        return [(place, place) for place in wanted if os.path.exists(place)]

    def _data(self) -> dict[str, bytes]:
        trusted = {f"{layout.TRUSTED}/{name}": data for name, data in self.job.trusted.items()}
        return {**layout.ETC, layout.FIRST: Path(first.__file__).read_bytes(), **trusted}

    def _memory(self, content: bytes) -> int:
        """Return a descriptor that the chain can read the content from."""
        fd = os.memfd_create("llmbench", os.MFD_CLOEXEC)
        self._passed.append(fd)
        with os.fdopen(os.dup(fd), "wb") as file:
            file.write(content)
        os.lseek(fd, 0, os.SEEK_SET)
        return fd


def _is_public(source: str) -> bool:
    return source.startswith(("/usr/", "/etc/")) or source in _TOP_LEVEL


def _kill(pidfd: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def open_kind() -> Sandbox:
    """Return a sandbox that has proved itself on this host.

    Raises:
        SandboxError: it cannot be had here; the message gives the fix.
    """
    facts = read_facts()
    if certain_fault(facts) or facts.bwrap is None:
        raise SandboxError(diagnose(facts))
    interpreter = find_interpreter()
    uid = _plain_uid()
    cgroup_parent = find_cgroup_parent()
    setting = Setting(
        bwrap=facts.bwrap,
        interpreter=interpreter,
        seccomp=filter_program(ARCHITECTURES[facts.machine]),
        drop_to_uid=uid,
        masks=hidden_folders(interpreter),
        cgroup_parent=cgroup_parent,
        limits_in_force=(*ALWAYS_IN_FORCE, *(cgroup.IN_FORCE if cgroup_parent else ())),
        prefix=_without_setuid(facts.bwrap),
    )
    sandbox = BubblewrapSandbox(setting)
    try:
        prove(sandbox, interpreter)
    except LeakError:
        raise
    except SandboxError as error:
        unreadable = unreadable_folder(interpreter) if uid is not None else None
        raise SandboxError(diagnose(replace(facts, said=str(error), unreadable_interpreter=unreadable))) from error
    return sandbox


def _plain_uid() -> int | None:
    """Return a user id that nothing runs as, from the range that systemd keeps for such; None if we are no root."""
    if os.geteuid() != 0:
        return None
    taken = watchdog.users()
    return random.choice([uid for uid in PLAIN_UIDS if uid not in taken])  # noqa: S311 - no secret


def _without_setuid(bwrap: str) -> tuple[str, ...]:
    """Return what keeps a set-user-id bubblewrap from becoming root: unprivileged, it is the same everywhere."""
    setpriv = shutil.which("setpriv", path="/usr/bin:/bin")
    if os.geteuid() == 0 or not os.stat(bwrap).st_mode & stat.S_ISUID or setpriv is None:
        return ()
    return (setpriv, "--no-new-privs", "--")
