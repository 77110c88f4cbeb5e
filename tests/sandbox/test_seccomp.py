"""The filter, run on a little machine for classic BPF, and its table against the kernel's own headers."""

from __future__ import annotations

import errno
import platform
import re
import struct
from pathlib import Path

import pytest

from pytest_llmbench.sandbox.seccomp import AARCH64, ARCHITECTURES, X86_64, Architecture, filter_program

ALLOW = 0x7FFF0000
KILL = 0x80000000
HEADERS = {
    "x86_64": [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")],
    "aarch64": [Path("/usr/include/asm-generic/unistd.h")],
}


def verdict(program: bytes, audit: int, number: int, *arguments: int) -> int:
    """Run the filter as the kernel does and return what it decides."""
    data = struct.pack("=IIQ6Q", number, audit, 0, *(arguments + (0,) * 6)[:6])
    code = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        operation, if_true, if_false, operand = code[at]
        at += 1
        if operation == 0x20:
            accumulator = int(struct.unpack_from("=I", data, operand)[0])
        elif operation == 0x06:
            return int(operand)
        else:
            taken = {
                0x15: accumulator == operand,
                0x35: accumulator >= operand,
                0x45: bool(accumulator & operand),
            }[operation]
            at += if_true if taken else if_false


def refusal(number: int) -> int:
    return 0x50000 | number


@pytest.fixture(params=[X86_64, AARCH64], ids=["x86_64", "aarch64"])
def architecture(request: pytest.FixtureRequest) -> Architecture:
    chosen: Architecture = request.param
    return chosen


@pytest.mark.parametrize(
    ("call", "arguments", "wanted"),
    [
        ("socket", (1, 1, 0), ALLOW),
        ("socket", (1, 2, 1), ALLOW),
        ("socket", (2, 1, 0), ALLOW),
        ("socket", (2, 1, 6), ALLOW),
        ("socket", (10, 2, 17), ALLOW),
        ("socket", (16, 3, 0), ALLOW),
        ("socket", (16, 3, 4), refusal(errno.EPROTONOSUPPORT)),
        ("socket", (2, 3, 1), refusal(errno.EPROTONOSUPPORT)),
        ("socket", (2, 1, 262), refusal(errno.EPROTONOSUPPORT)),
        ("socket", (10, 3, 58), refusal(errno.EPROTONOSUPPORT)),
        ("socket", (40, 1, 0), refusal(errno.EAFNOSUPPORT)),
        ("socket", (17, 3, 0), refusal(errno.EAFNOSUPPORT)),
        ("socket", (38, 5, 0), refusal(errno.EAFNOSUPPORT)),
        ("socket", (0, 1, 0), refusal(errno.EAFNOSUPPORT)),
        ("socket", ((1 << 32) | 1, 1, 0), ALLOW),
        ("socketpair", (1, 1, 0), ALLOW),
        ("socketpair", (40, 1, 0), refusal(errno.EAFNOSUPPORT)),
        ("clone", (0x01200011,), ALLOW),
        ("clone", (0x003D0F00,), ALLOW),
        ("clone", (0x10000011,), refusal(errno.EPERM)),
        ("clone", (0x00020011,), refusal(errno.EPERM)),
        ("clone", (0x02000011,), refusal(errno.EPERM)),
        ("clone", (0x40000011,), refusal(errno.EPERM)),
        ("clone3", (), refusal(errno.ENOSYS)),
        ("ioctl", (0, 0x5413), ALLOW),
        ("ioctl", (0, 0x5412), refusal(errno.EPERM)),
        ("ioctl", (0, 0x100005412), refusal(errno.EPERM)),
        ("ioctl", (0, 0x541C), refusal(errno.EPERM)),
        ("prlimit64", (0, 7), ALLOW),
        ("prlimit64", (1, 7), refusal(errno.EPERM)),
    ],
)
def test_calls_that_depend_on_their_arguments(
    architecture: Architecture, call: str, arguments: tuple[int, ...], wanted: int
) -> None:
    program = filter_program(architecture)
    assert verdict(program, architecture.audit, architecture.numbers[call], *arguments) == wanted


def test_all_others_of_the_table_are_refused_and_the_rest_is_let_through(architecture: Architecture) -> None:
    program = filter_program(architecture)
    by_argument = {
        architecture.numbers[name] for name in ("socket", "socketpair", "clone", "clone3", "ioctl", "prlimit64")
    }
    for number in range(architecture.past_last_call):
        if number in by_argument:
            continue
        wanted = refusal(errno.EPERM) if number in architecture.numbers.values() else ALLOW
        assert verdict(program, architecture.audit, number) == wanted, number


@pytest.mark.parametrize("number", [463, 500, 0x40000000, 0x40000000 + 39, 0xFFFFFFFF])
def test_unknown_calls_and_the_x32_table_are_not_there(architecture: Architecture, number: int) -> None:
    assert verdict(filter_program(architecture), architecture.audit, number) == refusal(errno.ENOSYS)


@pytest.mark.parametrize("audit", [0x40000003, 0x40000028, 0])
def test_a_foreign_architecture_is_killed(architecture: Architecture, audit: int) -> None:
    assert verdict(filter_program(architecture), audit, 0) == KILL


def test_the_filter_is_small(architecture: Architecture) -> None:
    program = filter_program(architecture)
    assert len(program) % 8 == 0
    assert 1000 < len(program) < 4096 * 8


@pytest.mark.parametrize("machine", sorted(HEADERS))
def test_numbers_are_those_of_the_kernels_headers(machine: str) -> None:
    header = next((path for path in HEADERS[machine] if path.exists()), None)
    if header is None:
        assert platform.system() != "Linux" or not list(Path("/usr/include").glob("asm*")), "headers lie elsewhere"
        return
    text = header.read_text()
    known = {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    numbers = ARCHITECTURES[machine].numbers
    checked = {name: number for name, number in numbers.items() if name in known}
    assert len(checked) > 60
    assert checked == {name: known[name] for name in checked}
