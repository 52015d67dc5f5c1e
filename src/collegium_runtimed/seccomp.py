"""The seccomp filter of a runtime: an allow list, assembled to classic BPF by hand since libseccomp may not be here."""

import errno
import os
import struct

from collegium_runtimed import syscalls

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000
NUMBER_MAX_KNOWN = 462
"""Newer calls get ENOSYS, so that the C library falls back; refused ones get EPERM."""

LOAD, JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_EQUAL, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
REFUSE = 0x00050000
AT_NUMBER, AT_ARCH = 0, 4

CLONE_NEW_ANY = 0x7E020080
"""Every flag of clone that makes a namespace: mnt, cgroup, uts, ipc, user, pid, net, time."""
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
NETLINK_ROUTE = 0
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
"""Plain Linux, its 32-bit flavour, both with uname 2.6, and "tell me"; as Docker has it. Not: ADDR_NO_RANDOMIZE."""

Instruction = tuple[int, int, int, int]


def machine() -> str:
    """The processor this runs on, by Linux's name."""
    return os.uname().machine


def program(architecture: str) -> bytes:
    """The filter for one processor, as an array of `struct sock_filter`. KeyError if the processor is not known."""
    code = [
        *_foreign_calls_end_the_process(AUDIT_ARCH[architecture]),
        *_x32_is_unknown(),
        *_examined(architecture),
        *_allowed(numbers(architecture)),
        (JUMP_GREATER, 0, 1, NUMBER_MAX_KNOWN),
        (RETURN, 0, 0, REFUSE | errno.ENOSYS),
        (RETURN, 0, 0, REFUSE | errno.EPERM),
    ]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)


def numbers(architecture: str) -> list[int]:
    """What is allowed whatever its arguments, in ascending order."""
    found = (getattr(of, architecture) for of in syscalls.ALLOWED.values())
    return sorted(number for number in found if number is not None)


def ranges(ascending: list[int]) -> list[tuple[int, int]]:
    """Neighbouring numbers, joined."""
    joined: list[tuple[int, int]] = []
    for number in ascending:
        if joined and joined[-1][1] == number - 1:
            joined[-1] = (joined[-1][0], number)
        else:
            joined.append((number, number))
    return joined


def _foreign_calls_end_the_process(arch: int) -> list[Instruction]:
    return [(LOAD, 0, 0, AT_ARCH), (JUMP_EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL_PROCESS), (LOAD, 0, 0, AT_NUMBER)]


def _x32_is_unknown() -> list[Instruction]:
    return [(JUMP_GREATER_EQUAL, 0, 1, X32_BIT), (RETURN, 0, 0, REFUSE | errno.ENOSYS)]


def _argument(index: int) -> Instruction:
    """Loads the low half of an argument; the kernel reads these as 32-bit values too."""
    return (LOAD, 0, 0, 16 + 8 * index)


def _examined(architecture: str) -> list[Instruction]:
    number = {name: getattr(of, architecture) for name, of in syscalls.EXAMINED.items()}
    allow, refuse = (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE | errno.EPERM)
    no_family = (RETURN, 0, 0, REFUSE | errno.EAFNOSUPPORT)
    return [
        # glibc falls back from clone3, whose flags lie in memory, to clone, whose flags we see.
        *_when(number["clone3"], [(RETURN, 0, 0, REFUSE | errno.ENOSYS)]),
        *_when(number["clone"], [_argument(0), (JUMP_ANY_BIT, 0, 1, CLONE_NEW_ANY), refuse, allow]),
        *_when(
            number["ioctl"],
            [_argument(1), (JUMP_EQUAL, 1, 0, TIOCSTI), (JUMP_EQUAL, 0, 1, TIOCLINUX), refuse, allow],
        ),
        *_when(number["personality"], [_argument(0), *_one_of(PERSONALITIES), refuse, allow]),
        *_when(
            number["socket"],
            [
                _argument(0),
                (JUMP_EQUAL, 6, 0, AF_UNIX),
                (JUMP_EQUAL, 5, 0, AF_INET),
                (JUMP_EQUAL, 4, 0, AF_INET6),
                (JUMP_EQUAL, 0, 2, AF_NETLINK),
                _argument(2),
                (JUMP_EQUAL, 1, 0, NETLINK_ROUTE),
                no_family,
                allow,
            ],
        ),
    ]


def _when(number: int, then: list[Instruction]) -> list[Instruction]:
    return [(JUMP_EQUAL, 0, len(then), number), *then]


def _one_of(values: tuple[int, ...]) -> list[Instruction]:
    """Skips the one instruction behind it when the loaded word is one of these."""
    return [(JUMP_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]


def _allowed(ascending: list[int]) -> list[Instruction]:
    code: list[Instruction] = []
    for first, last in ranges(ascending):
        code += [(JUMP_GREATER_EQUAL, 0, 2, first), (JUMP_GREATER, 1, 0, last), (RETURN, 0, 0, ALLOW)]
    return code
