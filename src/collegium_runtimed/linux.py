"""The few Linux calls that Python has no name for yet, each raising OSError with what was tried."""

import ctypes
import fcntl
import os
import signal
import socket
import struct
from typing import Any

libc = ctypes.CDLL(None, use_errno=True)

DESCRIPTOR_FREE_FROM = 16

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18

AT_FDCWD, AT_EMPTY_PATH, AT_RECURSIVE = -100, 0x1000, 0x8000
OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
MOVE_MOUNT_F_EMPTY_PATH = 4
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_IDMAP = 1, 2, 4, 0x100000
MNT_DETACH = 2

SYS_OPEN_TREE, SYS_MOVE_MOUNT, SYS_MOUNT_SETATTR = 428, 429, 442
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_CAP_AMBIENT = 24, 38, 22, 47
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
PR_CAP_AMBIENT_CLEAR_ALL, SECCOMP_MODE_FILTER, PR_SET_CHILD_SUBREAPER = 4, 2, 36
CAPABILITY_VERSION_3 = 0x20080522

SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 1, 64


class _MountAttr(ctypes.Structure):
    _fields_ = [
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    ]


class _CapHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapData(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def high(descriptor: int) -> int:
    """The same open file under a number that stays clear of those a runtime's PID 1 is born with."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, DESCRIPTOR_FREE_FROM)
    os.close(descriptor)
    return moved


def checked(result: int, what: str) -> int:
    """The result of a C call, or its errno as OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for new ones."""
    checked(libc.unshare(flags), f"unshare({flags:#x})")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


def mount(source: str | None, target: str, kind: str | None, flags: int = 0, options: str | None = None) -> None:
    """mount(2)."""
    result = libc.mount(_bytes(source), _bytes(target), _bytes(kind), ctypes.c_ulong(flags), _bytes(options))
    checked(result, f"mount {kind or source} on {target}")


def umount_detached(target: str) -> None:
    """Unmount now from sight, and for good when nobody uses it any more."""
    checked(libc.umount2(_bytes(target), MNT_DETACH), f"umount {target}")


def open_tree(path: str, *, recursive: bool = True) -> int:
    """A copy of the mount at `path`, attached nowhere, as a descriptor. Needs CAP_SYS_ADMIN."""
    flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (AT_RECURSIVE if recursive else 0)
    return high(checked(libc.syscall(SYS_OPEN_TREE, AT_FDCWD, os.fsencode(path), flags), f"open_tree {path}"))


def open_tree_of(folder: int) -> int:
    """A copy of the mount in which an open folder lies, from that folder on and without what is mounted below it."""
    flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH
    return high(checked(libc.syscall(SYS_OPEN_TREE, folder, b"", flags), "open_tree"))


def map_owners(tree: int, user_namespace: int) -> None:
    """Show the files of a detached mount as owned by others, as a user namespace maps them. Needs Linux 5.12."""
    attributes = _MountAttr(MOUNT_ATTR_IDMAP, 0, 0, user_namespace)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    result = libc.syscall(SYS_MOUNT_SETATTR, tree, b"", AT_EMPTY_PATH, ctypes.byref(attributes), size)
    checked(result, "mount_setattr with mapped owners")


def join_namespace(descriptor: int, kind: int) -> None:
    """Enter a namespace of this kind."""
    checked(libc.setns(descriptor, kind), f"setns({kind:#x})")


def user_namespace(maps: dict[str, str], *, owner: int | None = None) -> int:
    """A user namespace with these maps (`uid_map`, `gid_map`) that no process is in, as a descriptor. As root it may
    belong to another user."""
    ready, go = os.pipe2(os.O_CLOEXEC), os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        try:
            if owner is not None:
                os.setresgid(owner, owner, owner)
                os.setresuid(owner, owner, owner)
            unshare(CLONE_NEWUSER)
            os.write(ready[1], b".")
            os.close(go[1])
            os.read(go[0], 1)
        finally:
            os._exit(0)
    try:
        os.close(ready[1])
        if not os.read(ready[0], 1):
            raise OSError("no user namespace can be made")
        for name, text in maps.items():
            with open(f"/proc/{pid}/{name}", "w") as file:
                file.write(text)
        return high(os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC))
    finally:
        for end in (ready[0], *go):
            os.close(end)
        os.waitpid(pid, 0)


def move_mount(tree: int, target: str) -> None:
    """Attach a mount made by open_tree."""
    result = libc.syscall(SYS_MOVE_MOUNT, tree, b"", AT_FDCWD, os.fsencode(target), MOVE_MOUNT_F_EMPTY_PATH)
    checked(result, f"move_mount on {target}")


def restrict_mount(path: str, *, read_only: bool, devices: bool = False, recursive: bool = True) -> None:
    """No setuid, no devices, and if asked no writing: for the mount at `path` and, if recursive, all below it."""
    flags = MOUNT_ATTR_NOSUID | (0 if devices else MOUNT_ATTR_NODEV) | (MOUNT_ATTR_RDONLY if read_only else 0)
    attributes = _MountAttr(flags, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    depth = AT_RECURSIVE if recursive else 0
    result = libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, os.fsencode(path), depth, ctypes.byref(attributes), size)
    checked(result, f"mount_setattr {path}")


def pivot_root_here() -> None:
    """Make the working directory, a mount point, the root; nothing of the old root stays in sight."""
    number = SYS_PIVOT_ROOT[os.uname().machine]
    checked(libc.syscall(number, b".", b"."), "pivot_root")
    umount_detached(".")
    os.chdir("/")


def prctl(option: int, *arguments: Any) -> None:
    """prctl(2)."""
    values = [*arguments, *([0] * (4 - len(arguments)))]
    longs = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in values]
    checked(libc.prctl(option, *longs), f"prctl({option})")


def be_dumpable() -> None:
    """Own one's /proc again, which a change of user takes away."""
    prctl(PR_SET_DUMPABLE, 1)


def become_subreaper() -> None:
    """Orphaned grandchildren become our children, so that they can be waited for."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def reset_signals(*kept: signal.Signals) -> None:
    """No signal is blocked, and each does what Linux would have it do: whoever started us may have seen to neither,
    and both pass on to every program that is started from here."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, *kept}:
        if signal.getsignal(number) not in (signal.SIG_DFL, None):
            signal.signal(number, signal.SIG_DFL)


def ordinary_scheduling() -> None:
    """As any other process, whatever the engine was started under (`chrt`): a group of version 1 without a share of
    real time lets no such process in, and a runtime of one would run before all others."""
    if os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK in (os.SCHED_FIFO, os.SCHED_RR):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def drop_bounding_capabilities() -> None:
    """None can be gained by exec. Needs CAP_SETPCAP."""
    with open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    for capability in range(last + 1):
        prctl(PR_CAPBSET_DROP, capability)


def drop_capabilities() -> None:
    """None effective, permitted, inheritable or ambient, and none to gain by exec. Needs CAP_SETPCAP."""
    drop_bounding_capabilities()
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header, data = _CapHeader(CAPABILITY_VERSION_3, 0), (_CapData * 2)()
    checked(libc.capset(ctypes.byref(header), data), "capset")


def no_new_privileges() -> None:
    """From here on exec gives nothing: no setuid, no file capabilities."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def install_filter(code: bytes) -> None:
    """Install a seccomp filter for this thread and all it starts. Needs no_new_privileges()."""
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_ = _Filter(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filter_))


def loopback_up() -> None:
    """Bring `lo` of the current network namespace up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING))


def start_time(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None if there is none, or only its zombie.

    Together with the pid it names one process for as long as the machine is up.
    """
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])
