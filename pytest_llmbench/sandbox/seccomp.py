"""The system call filter, assembled by hand into the kernel's classic BPF; pure.

It says no to what a namespace does not cover: other address families (AF_VSOCK reaches the hypervisor), keyrings,
io_uring, memory that no process shows, and everything that changes namespaces, mounts or other processes. Calls newer
than the table are refused too.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping
from dataclasses import dataclass

# struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6]
_NR, _ARCH, _ARGS = 0, 4, 16

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_GREATER_EQUAL = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_JUMP_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000

_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""

_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_IPPROTO_ANY, _IPPROTO_TCP, _IPPROTO_UDP = 0, 6, 17
_NETLINK_ROUTE = 0
_TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX


@dataclass(frozen=True, slots=True)
class Architecture:
    """What the filter must know of a machine."""

    audit: int
    """AUDIT_ARCH_…"""
    past_last_call: int
    """The first number that the table below does not know."""
    numbers: Mapping[str, int]


_PAST_LAST_CALL = 463
"""Numbers are the same on all machines since 424; 462 is mseal (Linux 6.10)."""

_COMMON = {
    "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447,
    "process_mrelease": 448, "set_mempolicy_home_node": 450, "statmount": 457, "listmount": 458, "lsm_set_self_attr": 460,
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "clone3": 435,
}  # fmt: skip

X86_64 = Architecture(0xC000003E, _PAST_LAST_CALL, _COMMON | {
    "ioctl": 16, "shmget": 29, "shmat": 30, "shmctl": 31, "socket": 41, "socketpair": 53, "clone": 56, "semget": 64,
    "semop": 65, "semctl": 66, "shmdt": 67, "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "ptrace": 101,
    "syslog": 103, "uselib": 134, "personality": 135, "ustat": 136, "sysfs": 139, "vhangup": 153, "modify_ldt": 154,
    "pivot_root": 155, "_sysctl": 156, "adjtimex": 159, "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165,
    "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172,
    "ioperm": 173, "create_module": 174, "init_module": 175, "delete_module": 176, "get_kernel_syms": 177,
    "query_module": 178, "quotactl": 179, "nfsservctl": 180, "lookup_dcookie": 212, "remap_file_pages": 216,
    "semtimedop": 220, "clock_settime": 227, "mbind": 237, "set_mempolicy": 238, "mq_open": 240, "mq_unlink": 241,
    "mq_timedsend": 242, "mq_timedreceive": 243, "mq_notify": 244, "mq_getsetattr": 245, "kexec_load": 246,
    "add_key": 248, "request_key": 249, "keyctl": 250, "inotify_init": 253, "migrate_pages": 256, "unshare": 272,
    "vmsplice": 278, "move_pages": 279, "inotify_init1": 294, "perf_event_open": 298, "fanotify_init": 300,
    "fanotify_mark": 301, "prlimit64": 302, "name_to_handle_at": 303, "open_by_handle_at": 304, "clock_adjtime": 305,
    "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "seccomp": 317,
    "memfd_create": 319, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
})  # fmt: skip

AARCH64 = Architecture(0xC00000B7, _PAST_LAST_CALL, _COMMON | {
    "lookup_dcookie": 18, "inotify_init1": 26, "ioctl": 29, "umount2": 39, "mount": 40, "pivot_root": 41,
    "nfsservctl": 42, "chroot": 51, "vhangup": 58, "quotactl": 60, "vmsplice": 75, "acct": 89, "personality": 92,
    "unshare": 97, "kexec_load": 104, "init_module": 105, "delete_module": 106, "clock_settime": 112, "syslog": 116,
    "ptrace": 117, "reboot": 142, "sethostname": 161, "setdomainname": 162, "settimeofday": 170, "adjtimex": 171,
    "mq_open": 180, "mq_unlink": 181, "mq_timedsend": 182, "mq_timedreceive": 183, "mq_notify": 184,
    "mq_getsetattr": 185, "msgget": 186, "msgctl": 187, "msgrcv": 188, "msgsnd": 189, "semget": 190, "semctl": 191,
    "semtimedop": 192, "semop": 193, "shmget": 194, "shmctl": 195, "shmat": 196, "shmdt": 197, "socket": 198,
    "socketpair": 199, "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220, "swapon": 224, "swapoff": 225,
    "remap_file_pages": 234, "mbind": 235, "set_mempolicy": 237, "migrate_pages": 238, "move_pages": 239,
    "perf_event_open": 241, "prlimit64": 261, "fanotify_init": 262, "fanotify_mark": 263, "name_to_handle_at": 264,
    "open_by_handle_at": 265, "clock_adjtime": 266, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
    "kcmp": 272, "finit_module": 273, "seccomp": 277, "memfd_create": 279, "bpf": 280, "userfaultfd": 282,
    "kexec_file_load": 294,
})  # fmt: skip

ARCHITECTURES: Mapping[str, Architecture] = {"x86_64": X86_64, "aarch64": AARCH64}
"""By `platform.machine()`."""

_BY_ARGUMENT = frozenset({"clone", "clone3", "socket", "socketpair", "ioctl", "prlimit64"})
_FIRST_X32_CALL = 0x40000000


def filter_program(architecture: Architecture) -> bytes:
    """Return the filter as an array of `struct sock_filter`, 8 bytes each."""
    numbers = architecture.numbers
    code = [
        _statement(_LOAD, _ARCH),
        _jump(_JUMP_EQUAL, architecture.audit, 1, 0),
        _statement(_RETURN, _KILL),
        _statement(_LOAD, _NR),
        # x32 calls have numbers of their own, which this also covers
        _jump(_JUMP_GREATER_EQUAL, architecture.past_last_call, 0, 1),
        _refuse(errno.ENOSYS),
        _jump(_JUMP_EQUAL, numbers["clone3"], 0, 1),  # its flags lie in memory; the C library then takes clone
        _refuse(errno.ENOSYS),
    ]
    for number in sorted(set(numbers.values()) - {numbers[name] for name in _BY_ARGUMENT}):
        code += [_jump(_JUMP_EQUAL, number, 0, 1), _refuse(errno.EPERM)]
    for name, block in _ARGUMENT_CHECKS.items():
        # within a block the call's number is no longer loaded, so each block ends in a decision
        code += [_jump(_JUMP_EQUAL, numbers[name], 0, len(block)), *block]
    return b"".join([*code, _statement(_RETURN, _ALLOW)])


def _statement(operation: int, operand: int) -> bytes:
    return struct.pack("=HBBI", operation, 0, 0, operand)


def _jump(operation: int, operand: int, if_true: int, if_false: int) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, operand)


def _refuse(number: int) -> bytes:
    return _statement(_RETURN, _ERRNO | number)


def _argument(index: int) -> bytes:
    """Load the lower half, which is all of an int argument; both architectures are little-endian."""
    return _statement(_LOAD, _ARGS + 8 * index)


def _one_of(values: tuple[int, ...], otherwise: int) -> list[bytes]:
    """Go on behind these instructions if the loaded word is one of the values, else refuse."""
    checks = [_jump(_JUMP_EQUAL, value, len(values) - place, 0) for place, value in enumerate(values)]
    return [*checks, _refuse(otherwise)]


def _socket_check() -> list[bytes]:
    internet = [_argument(2), *_one_of((_IPPROTO_ANY, _IPPROTO_TCP, _IPPROTO_UDP), errno.EPROTONOSUPPORT), _allow()]
    netlink = [_argument(2), *_one_of((_NETLINK_ROUTE,), errno.EPROTONOSUPPORT), _allow()]
    return [
        _argument(0),
        _jump(_JUMP_EQUAL, _AF_UNIX, 0, 1), _allow(),
        _jump(_JUMP_EQUAL, _AF_NETLINK, 0, len(netlink)), *netlink,
        *_one_of((_AF_INET, _AF_INET6), errno.EAFNOSUPPORT),
        *internet,
    ]  # fmt: skip


def _allow() -> bytes:
    return _statement(_RETURN, _ALLOW)


_ARGUMENT_CHECKS: Mapping[str, list[bytes]] = {
    "clone": [_argument(0), _jump(_JUMP_ANY_BIT, _NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM), _allow()],
    "socket": _socket_check(),
    "socketpair": [_argument(0), *_one_of((_AF_UNIX,), errno.EAFNOSUPPORT), _allow()],
    "ioctl": [
        _argument(1),
        _jump(_JUMP_EQUAL, _TERMINAL_INJECTION[0], 1, 0),
        _jump(_JUMP_EQUAL, _TERMINAL_INJECTION[1], 0, 1),
        _refuse(errno.EPERM),
        _allow(),
    ],
    # the limits of another process, of the first program for one, are not the candidate's to change
    "prlimit64": [_argument(0), _jump(_JUMP_EQUAL, 0, 1, 0), _refuse(errno.EPERM), _allow()],
}
