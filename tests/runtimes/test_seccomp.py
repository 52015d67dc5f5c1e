"""The filter, run by a small interpreter of classic BPF, on the calls of both processors."""

import errno
import re
import struct
from pathlib import Path

import pytest

from collegium_runtimed import seccomp, syscalls

ARCHITECTURES = ["x86_64", "aarch64"]
ALLOWED, EPERM, ENOSYS = seccomp.ALLOW, seccomp.REFUSE | errno.EPERM, seccomp.REFUSE | errno.ENOSYS
NO_FAMILY = seccomp.REFUSE | errno.EAFNOSUPPORT


def verdict(architecture: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter says to a call."""
    arch = seccomp.AUDIT_ARCH[architecture] if audit is None else audit
    values = [*arguments, *([0] * (6 - len(arguments)))]
    call = struct.pack("<iIQ6Q", number if number < 1 << 31 else number - (1 << 32), arch, 0, *values)
    code = list(struct.iter_unpack("<HBBI", seccomp.program(architecture)))
    at, word = 0, 0
    for _ in range(4096):
        operation, on_true, on_false, value = code[at]
        at += 1
        match operation:
            case seccomp.LOAD:
                word = struct.unpack_from("<I", call, value)[0]
            case seccomp.RETURN:
                return int(value)
            case seccomp.JUMP_EQUAL:
                at += on_true if word == value else on_false
            case seccomp.JUMP_GREATER:
                at += on_true if word > value else on_false
            case seccomp.JUMP_GREATER_EQUAL:
                at += on_true if word >= value else on_false
            case seccomp.JUMP_ANY_BIT:
                at += on_true if word & value else on_false
            case _:
                raise AssertionError(operation)
    raise AssertionError("the filter does not end")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_exactly_the_listed_calls_pass(architecture: str) -> None:
    examined = {getattr(of, architecture) for of in syscalls.EXAMINED.values()}
    listed = set(seccomp.numbers(architecture))

    for number in range(seccomp.NUMBER_MAX_KNOWN + 1):
        if number not in examined:
            assert verdict(architecture, number) == (ALLOWED if number in listed else EPERM), number


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_calls_newer_than_the_list_do_not_exist(architecture: str) -> None:
    assert verdict(architecture, seccomp.NUMBER_MAX_KNOWN + 1) == ENOSYS


def test_calls_of_another_processor_end_the_process() -> None:
    assert verdict("x86_64", 1, audit=0x40000003) == seccomp.KILL_PROCESS
    assert verdict("x86_64", 0x40000000 + 39) == ENOSYS


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_call_makes_a_namespace(architecture: str) -> None:
    clone = getattr(syscalls.EXAMINED["clone"], architecture)
    thread = 0x3D0F00

    assert verdict(architecture, clone, thread) == ALLOWED
    assert verdict(architecture, clone, 17) == ALLOWED
    for flag in (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict(architecture, clone, thread | flag) == EPERM
    assert verdict(architecture, getattr(syscalls.EXAMINED["clone3"], architecture)) == ENOSYS


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_sockets_are_of_four_families(architecture: str) -> None:
    number = getattr(syscalls.EXAMINED["socket"], architecture)
    allowed = {family for family in range(64) if verdict(architecture, number, family, 1, 0) == ALLOWED}

    assert allowed == {seccomp.AF_UNIX, seccomp.AF_INET, seccomp.AF_INET6, seccomp.AF_NETLINK}
    assert verdict(architecture, number, 40, 1, 0) == NO_FAMILY
    assert verdict(architecture, number, seccomp.AF_NETLINK, 3, 12) == NO_FAMILY


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_terminal_takes_no_forged_keystrokes(architecture: str) -> None:
    number = getattr(syscalls.EXAMINED["ioctl"], architecture)

    assert verdict(architecture, number, 0, 0x5401) == ALLOWED
    assert verdict(architecture, number, 0, 0x5412) == EPERM
    assert verdict(architecture, number, 0, 0x541C) == EPERM
    assert verdict(architecture, number, 0, 0x5412 | 1 << 32) == EPERM


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_process_keeps_its_random_addresses(architecture: str) -> None:
    number = getattr(syscalls.EXAMINED["personality"], architecture)

    assert verdict(architecture, number, 0xFFFFFFFF) == ALLOWED
    assert verdict(architecture, number, 0) == ALLOWED
    assert verdict(architecture, number, 0x40000) == EPERM


def test_the_numbers_are_those_of_this_systems_headers() -> None:
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip("the headers of Linux are not installed")
    numbers = dict(re.findall(r"#define __NR_(\w+) (\d+)", header.read_text()))

    for name, of in (syscalls.ALLOWED | syscalls.EXAMINED).items():
        if name in numbers:
            assert int(numbers[name]) == of.x86_64, name
