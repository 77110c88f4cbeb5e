"""The preflight must be able to fail: here it is let loose on a sandbox that is none, and on made-up findings."""

# The places named here are inside the sandbox.
# ruff: noqa: S108

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from typing import Any

import pytest

from pytest_llmbench.errors import SandboxError
from pytest_llmbench.model.check import SandboxUse
from pytest_llmbench.sandbox import bubblewrap as kind
from pytest_llmbench.sandbox.api import Job, Process, Sandbox
from pytest_llmbench.sandbox.bubblewrap import BubblewrapSandbox
from pytest_llmbench.sandbox.diagnosis import HostFacts
from pytest_llmbench.sandbox.interpreter import find_interpreter
from pytest_llmbench.sandbox.preflight import LeakError, find_faults, prove

CLEAN: dict[str, Any] = {
    "reached": [],
    "processes": [1, 2],
    "pid": 2,
    "descriptors": [0, 1, 2, 3, 4],
    "interfaces": ["lo"],
    "environment": ["HOME", "PATH"],
    "status": {"NoNewPrivs": "1", "Seccomp": "2", "CapEff": "0000000000000000"},
    "volumes": {"/work": 4096},
    "packages": [],
    "usable": ["loopback", "/work", "/tmp", "/dev/shm", "threads"],
}


def test_clean_findings_have_no_fault() -> None:
    assert find_faults(CLEAN) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"reached": ["the home"]}, "it reached the home"),
        ({"processes": [1, 2, 3]}, "it sees processes: 3"),
        ({"descriptors": [0, 1, 2, 3, 7, 8]}, "it sees open descriptors: 7"),
        ({"interfaces": ["lo", "eth0"]}, "it sees network interfaces: eth0"),
        ({"environment": ["PATH", "API_KEY"]}, "it sees environment variables: API_KEY"),
        ({"status": {"NoNewPrivs": "0"}}, "NoNewPrivs is 0"),
        ({"status": {"Seccomp": "0"}}, "Seccomp is 0"),
        ({"status": {"CapEff": "000001ffffffffff"}}, "CapEff is 000001ffffffffff"),
        ({"volumes": {"/tmp": 10**9}}, "/tmp holds 1000000000 bytes"),
        ({"packages": ["pytest"]}, "it sees installed packages: pytest"),
        ({"usable": ["/work", "/tmp", "/dev/shm", "threads"]}, "loopback does not work"),
    ],
)
def test_each_finding_is_a_fault(change: dict[str, Any], fault: str) -> None:
    assert find_faults(CLEAN | change) == [fault]


@dataclass(frozen=True)
class Named(Sandbox):
    """The unsandboxed kind, under the other's name."""

    inner: Sandbox

    @property
    def use(self) -> SandboxUse:
        return SandboxUse("bubblewrap", ())

    def start(self, job: Job) -> Process:
        return self.inner.start(job)


def test_no_isolation_does_not_pass(unsandboxed: Sandbox) -> None:
    with pytest.raises(LeakError) as caught:
        prove(Named(unsandboxed), find_interpreter())
    told = str(caught.value)
    for leak in (
        "a TCP port of the host",
        "an abstract socket of the host",
        "reading /",
        "Seccomp is 0",
        "it sees processes",
    ):
        assert leak in told


def test_without_its_filter_the_sandbox_does_not_pass(bubblewrap: Sandbox) -> None:
    assert isinstance(bubblewrap, BubblewrapSandbox)
    allow_all = b"\x06\0\0\0\0\0\xff\x7f"
    setting = replace(bubblewrap.setting, seccomp=allow_all)
    with pytest.raises(LeakError, match=r"it reached .*memfd_create"):
        prove(BubblewrapSandbox(setting), setting.interpreter)


def test_a_start_that_fails_is_told_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = HostFacts(bwrap="/bin/false", apparmor_restrict=1)
    monkeypatch.setattr(kind, "read_facts", lambda: replace(facts, machine=platform.machine()))
    with pytest.raises(SandboxError, match=r"bwrap-userns-restrict.*first program did not start"):
        kind.open_kind()


def test_exit_status_1_of_bubblewrap_is_no_exit_of_the_candidate(bubblewrap: Sandbox) -> None:
    assert isinstance(bubblewrap, BubblewrapSandbox)
    broken = replace(bubblewrap.setting, seccomp=b"garbage")
    with pytest.raises(SandboxError, match=r"first program did not start: .*bwrap"):
        BubblewrapSandbox(broken).start(Job(["true"]))


def test_a_missing_bubblewrap_is_told_before_anything_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind, "read_facts", lambda: HostFacts(bwrap=None, distributions=("debian",)))
    with pytest.raises(SandboxError, match="apt-get install bubblewrap"):
        kind.open_kind()
