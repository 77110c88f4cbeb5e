"""One test for each kind of host: the fix must be the one that helps there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_llmbench.sandbox.diagnosis import HostFacts, certain_fault, diagnose

GOOD = HostFacts()


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (HostFacts(system="Darwin", bwrap=None), "got macOS: run pytest in a Linux virtual machine"),
        (HostFacts(machine="riscv64"), "machine riscv64 has no system call filter here, wanted one of aarch64, x86_64"),
        (HostFacts(bwrap=None, distributions=("debian",)), "sudo apt-get install bubblewrap"),
        (HostFacts(bwrap=None, distributions=("linuxmint", "ubuntu", "debian")), "sudo apt-get install bubblewrap"),
        (HostFacts(bwrap=None, distributions=("rocky", "rhel", "centos", "fedora")), "sudo dnf install bubblewrap"),
        (HostFacts(bwrap=None, distributions=("arch",)), "sudo pacman -S bubblewrap"),
        (HostFacts(bwrap=None, distributions=("opensuse-leap", "suse", "opensuse")), "sudo zypper install bubblewrap"),
        (HostFacts(bwrap=None, distributions=("alpine",)), "sudo apk add bubblewrap"),
        (HostFacts(bwrap=None, distributions=("unheard-of",)), "install the package bubblewrap"),
        (HostFacts(version=(0, 6, 1)), "/usr/bin/bwrap is version 0.6.1, wanted 0.8.0 or newer"),
        (HostFacts(max_user_namespaces=0, container=True), "sudo sysctl user.max_user_namespaces=15000"),
        (HostFacts(unprivileged_userns_clone=0), "sudo sysctl kernel.unprivileged_userns_clone=1"),
        (HostFacts(unreadable_interpreter="/root/py"), "chmod -R go+rX /root/py"),
        (HostFacts(container=True), "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined"),
        (HostFacts(container=True, root=True), "--user 1000 (root there also needs --cap-add SYS_ADMIN)"),
        (HostFacts(apparmor_restrict=1), "bwrap-userns-restrict"),
        (HostFacts(apparmor_restrict=1, container=True), "on the host: sudo sysctl kernel.apparmor_restrict"),
        (HostFacts(apparmor_restrict=1), "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
        (HostFacts(said="bwrap: something\nnew"), "[bwrap: something new]"),
    ],
)
def test_the_fix_fits_the_host(facts: HostFacts, wanted: str) -> None:
    message = diagnose(facts)
    assert wanted in message
    assert "--llm-sandbox=none" in message
    assert "\n" not in message


def test_settings_that_allow_it_are_not_blamed() -> None:
    facts = replace(GOOD, max_user_namespaces=96365, unprivileged_userns_clone=1, apparmor_restrict=0)
    assert "try `bwrap" in diagnose(facts)


@pytest.mark.parametrize(
    ("facts", "certain"),
    [
        (GOOD, False),
        (HostFacts(bwrap=None), True),
        (HostFacts(system="Darwin"), True),
        (HostFacts(machine="s390x"), True),
        (HostFacts(version=(0, 4, 0)), True),
        (HostFacts(version=None), False),
        (HostFacts(version=(0, 11, 0)), False),
        (HostFacts(apparmor_restrict=1), False),
        (HostFacts(container=True), False),
    ],
)
def test_only_what_needs_no_try_is_certain(facts: HostFacts, *, certain: bool) -> None:
    assert (certain_fault(facts) is not None) is certain
