"""From what is known about a host to the one line that says how to make the sandbox work there; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MINIMUM_VERSION = (0, 8, 0)
UNSAFE_WAY = "or, if you trust every answer, run them without isolation: --llm-sandbox=none"


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What decides whether bubblewrap can work."""

    system: str = "Linux"
    """As `platform.system()` tells."""
    machine: str = "x86_64"
    machines: tuple[str, ...] = ("aarch64", "x86_64")
    """Those that there is a system call filter for."""
    distributions: tuple[str, ...] = ()
    """ID and ID_LIKE of /etc/os-release."""
    bwrap: str | None = "/usr/bin/bwrap"
    version: tuple[int, ...] | None = MINIMUM_VERSION
    container: bool = False
    root: bool = False
    max_user_namespaces: int | None = None
    """user.max_user_namespaces; None where there is no such setting. So too the next two."""
    unprivileged_userns_clone: int | None = None
    apparmor_restrict: int | None = None
    """kernel.apparmor_restrict_unprivileged_userns."""
    unreadable_interpreter: str | None = None
    """Folder of the interpreter, if the user that the sandbox runs as cannot read it."""
    said: str = ""
    """What the programs on the way said."""


@dataclass(frozen=True, slots=True)
class _Cause:
    applies: Callable[[HostFacts], bool]
    fix: Callable[[HostFacts], str]


_INSTALL = {
    "debian": "sudo apt-get install bubblewrap",
    "ubuntu": "sudo apt-get install bubblewrap",
    "fedora": "sudo dnf install bubblewrap",
    "rhel": "sudo dnf install bubblewrap",
    "centos": "sudo dnf install bubblewrap",
    "arch": "sudo pacman -S bubblewrap",
    "suse": "sudo zypper install bubblewrap",
    "opensuse": "sudo zypper install bubblewrap",
    "alpine": "sudo apk add bubblewrap",
}
_INSTALL_ANYWHERE = "install the package bubblewrap (apt-get, dnf, pacman, zypper and apk all call it that)"


def _install(facts: HostFacts) -> str:
    known = (_INSTALL[name] for name in facts.distributions if name in _INSTALL)
    return f"bwrap is not on PATH: {next(known, _INSTALL_ANYWHERE)}"


def _container(facts: HostFacts) -> str:
    options = (
        "--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined"
    )
    user = " --user 1000 (root there also needs --cap-add SYS_ADMIN)" if facts.root else ""
    # AppArmor's setting is the host's and reaches into containers whatever their own profile is
    host = (
        "; on the host: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0" if facts.apparmor_restrict else ""
    )
    return f"this container does not let bubblewrap make namespaces: docker run {options}{user}{host}"


_CAUSES = (
    _Cause(
        lambda facts: facts.system != "Linux",
        lambda facts: (
            f"bubblewrap needs Linux, got {'macOS' if facts.system == 'Darwin' else facts.system}: run pytest in a "
            "Linux virtual machine, for instance `brew install lima && limactl start && lima`"
        ),
    ),
    _Cause(
        lambda facts: facts.machine not in facts.machines,
        lambda facts: (
            f"machine {facts.machine} has no system call filter here, wanted one of {', '.join(facts.machines)}"
        ),
    ),
    _Cause(lambda facts: facts.bwrap is None, _install),
    _Cause(
        lambda facts: facts.version is not None and facts.version < MINIMUM_VERSION,
        lambda facts: (
            f"{facts.bwrap} is version {_dotted(facts.version)}, wanted {_dotted(MINIMUM_VERSION)} or newer (Debian 12, "
            "Ubuntu 24.04, Fedora 38): upgrade the package bubblewrap"
        ),
    ),
    _Cause(
        lambda facts: facts.max_user_namespaces == 0,
        lambda _: (
            "user namespaces are turned off (user.max_user_namespaces=0): sudo sysctl user.max_user_namespaces=15000"
        ),
    ),
    _Cause(
        lambda facts: facts.unprivileged_userns_clone == 0,
        lambda _: (
            "user namespaces are turned off for plain users (kernel.unprivileged_userns_clone=0): "
            "sudo sysctl kernel.unprivileged_userns_clone=1"
        ),
    ),
    _Cause(
        lambda facts: facts.unreadable_interpreter is not None,
        lambda facts: (
            f"the interpreter in {facts.unreadable_interpreter} cannot be read by the plain user that the sandbox runs "
            f"as: chmod -R go+rX {facts.unreadable_interpreter}"
        ),
    ),
    _Cause(lambda facts: facts.container, _container),
    _Cause(
        lambda facts: facts.apparmor_restrict == 1,
        lambda _: (
            "AppArmor keeps plain users from user namespaces (Ubuntu 24.04, hosted runners): sudo apt-get install "
            "apparmor-profiles && sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && "
            "sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict; on a throw-away machine: "
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        ),
    ),
)


def certain_fault(facts: HostFacts) -> str | None:
    """Return what is wrong where no try is needed to know it, or None."""
    return next((cause.fix(facts) for cause in _CAUSES[:4] if cause.applies(facts)), None)


def diagnose(facts: HostFacts) -> str:
    """Return one line: what keeps the sandbox from working on this host, and the fix."""
    cause = next((cause for cause in _CAUSES if cause.applies(facts)), None)
    fix = cause.fix(facts) if cause else "try `bwrap --unshare-all --ro-bind / / true` to see the cause"
    said = f" [{' '.join(facts.said.split())}]" if facts.said else ""
    return f"no sandbox: {fix}; {UNSAFE_WAY}{said}"


def _dotted(version: tuple[int, ...] | None) -> str:
    return ".".join(map(str, version or ()))
