"""Everything a hostile notebook might try; runs inside a runtime, as a cell. Python's standard library only.

Each probe returns None or text when it was stopped (raising is being stopped, too), and raises Reached when it was not.
"""

import ctypes
import errno
import fcntl
import glob
import os
import platform
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from typing import Any

PROBES: dict[str, Callable[[dict[str, Any]], object]] = {}
libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {
    "x86_64": {
        "clone": 56,
        "ptrace": 101,
        "syslog": 103,
        "pivot_root": 155,
        "chroot": 161,
        "settimeofday": 164,
        "mount": 165,
        "reboot": 169,
        "init_module": 175,
        "kexec_load": 246,
        "add_key": 248,
        "keyctl": 250,
        "unshare": 272,
        "perf_event_open": 298,
        "open_by_handle_at": 304,
        "setns": 308,
        "process_vm_readv": 310,
        "bpf": 321,
        "userfaultfd": 323,
        "request_key": 249,
    },
    "aarch64": {
        "clone": 220,
        "ptrace": 117,
        "syslog": 116,
        "pivot_root": 41,
        "chroot": 51,
        "settimeofday": 170,
        "mount": 40,
        "reboot": 142,
        "init_module": 105,
        "kexec_load": 104,
        "add_key": 217,
        "keyctl": 219,
        "unshare": 97,
        "perf_event_open": 241,
        "open_by_handle_at": 265,
        "setns": 268,
        "process_vm_readv": 270,
        "bpf": 280,
        "userfaultfd": 282,
        "request_key": 218,
    },
}[platform.machine()]
NUMBERS |= {"io_uring_setup": 425, "open_tree": 428, "fsopen": 430, "clone3": 435, "mount_setattr": 442}


class Reached(Exception):
    """The wall has a hole."""


def probe(name: str) -> Callable[[Callable[[dict[str, Any]], object]], None]:
    """Give an attempt a name."""

    def named(attempt: Callable[[dict[str, Any]], object]) -> None:
        PROBES[name] = attempt

    return named


def reads(name: str, path: str | None = None, *, key: str = "") -> None:
    """An attempt to read a file."""

    @probe(name)
    def attempt(world: dict[str, Any]) -> object:
        with open(path or world[key], "rb") as file:
            raise Reached(f"read {len(file.read(64))} bytes")


def calls(name: str, call: str, *arguments: object) -> None:
    """An attempt at a system call, which must be refused by the filter."""

    @probe(name)
    def attempt(world: dict[str, Any]) -> object:
        return refused(NUMBERS[call], *arguments)


def refused(number: int, *arguments: object) -> str:
    """The error of a refused call. A complaint about the arguments would mean that it went through."""
    result, code = libc.syscall(number, *arguments), ctypes.get_errno()
    if result >= 0 or code not in (errno.EPERM, errno.ENOSYS):
        raise Reached(f"returned {result}, {errno.errorcode.get(code, code)}")
    return errno.errorcode[code]


def connects(name: str, host: str | None = None, port: int | None = None, *, key: str = "") -> None:
    """An attempt to reach an address."""

    @probe(name)
    def attempt(world: dict[str, Any]) -> object:
        with socket.socket() as connection:
            connection.settimeout(2)
            connection.connect((host or world[key], port or world["port"]))
        raise Reached("connected")


def creates(name: str, family: int, kind: int, protocol: int = 0) -> None:
    """An attempt to make a socket of a family."""

    @probe(name)
    def attempt(world: dict[str, Any]) -> object:
        socket.socket(family, kind, protocol).close()
        raise Reached("created")


def writes(name: str, path: str) -> None:
    """An attempt to open a file for writing."""

    @probe(name)
    def attempt(world: dict[str, Any]) -> object:
        with open(path, "r+b" if os.path.exists(path) else "wb"):
            raise Reached("opened for writing")


# ── the machine's files and the neighbours' ────────────────────────────────────────────────────────────────────────

reads("a secret file of the machine by its path", key="secret")
reads("a file of a neighbour", key="neighbour_file")
reads("the kernel's memory", "/proc/kcore")
reads("the database of the server", key="database")


@probe("the machine's password file")
def _(world: dict[str, Any]) -> object:
    with open("/etc/passwd") as file:
        if world["account"] in file.read():
            raise Reached("its accounts are listed")
    with open("/etc/shadow"):
        raise Reached("there is a shadow file")


@probe("the address of a neighbour's agent")
def _(world: dict[str, Any]) -> object:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(world["neighbour_socket"])
    raise Reached("connected")


@probe("the engine's socket")
def _(world: dict[str, Any]) -> object:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(world["engine_socket"])
    raise Reached("connected")


@probe("roots and working folders of processes")
def _(world: dict[str, Any]) -> object:
    for way in glob.glob("/proc/[0-9]*/root") + glob.glob("/proc/[0-9]*/cwd"):
        if os.path.exists(way + world["secret"]):
            raise Reached(way)


@probe("descriptors left open")
def _(world: dict[str, Any]) -> object:
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            kept = os.readlink(f"/proc/self/fd/{descriptor}")
        except FileNotFoundError:
            continue
        if world["data"] in kept and not kept.endswith("/log"):
            raise Reached(kept)


# ── other processes ────────────────────────────────────────────────────────────────────────────────────────────────


@probe("secrets in environments of processes")
def _(world: dict[str, Any]) -> object:
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError:
            continue
        if world["canary"].encode() in content:
            raise Reached(path)


@probe("a signal to a process of the machine")
def _(world: dict[str, Any]) -> object:
    os.kill(world["pid"], 0)
    raise Reached("it can be signalled")


@probe("processes of the machine in /proc")
def _(world: dict[str, Any]) -> object:
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with open(path, "rb") as file:
            if world["canary"].encode() in file.read():
                raise Reached(path)
    if len(glob.glob("/proc/[0-9]*")) > 20:
        raise Reached("more processes than a runtime has")


@probe("tracing PID 1")
def _(world: dict[str, Any]) -> object:
    if libc.ptrace(16, 1, 0, 0) == 0:
        libc.ptrace(17, 1, 0, 0)
        raise Reached("attached")


writes("the memory of PID 1", "/proc/1/mem")


@probe("killing PID 1")
def _(world: dict[str, Any]) -> object:
    os.kill(1, 9)
    os.kill(1, 0)
    return "it is still there"


@probe("processes of the machine by kill(-1)")
def _(world: dict[str, Any]) -> object:
    if os.path.exists(f"/proc/{world['pid']}/status"):
        with open(f"/proc/{world['pid']}/cmdline", "rb") as file:
            if world["canary"].encode() in file.read():
                raise Reached("it would be among those")


# ── the network ────────────────────────────────────────────────────────────────────────────────────────────────────

connects("a service on the machine's loopback", "127.0.0.1")
connects("a service on the machine's address", key="host")
connects("the cloud's metadata", "169.254.169.254", 80)
connects("the internet", "1.1.1.1", 443)
creates("a socket to the hypervisor", 40, socket.SOCK_STREAM)
creates("a packet socket", 17, socket.SOCK_RAW, 3)
creates("a socket to the kernel's ciphers", 38, socket.SOCK_SEQPACKET)
creates("a raw socket", socket.AF_INET, socket.SOCK_RAW, 1)
creates("a Bluetooth socket", 31, socket.SOCK_RAW, 1)
creates("a netlink socket other than routing", 16, socket.SOCK_RAW, 12)


@probe("an abstract socket of the machine")
def _(world: dict[str, Any]) -> object:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect("\0" + world["abstract"])
    raise Reached("connected")


# ── the kernel ─────────────────────────────────────────────────────────────────────────────────────────────────────

calls("mounting", "mount", b"x", b"/mnt", b"tmpfs", 0, None)
calls("mounting by the new calls", "fsopen", b"tmpfs", 0)
calls("cloning a mount", "open_tree", -100, b"/", 1)
calls("changing a mount", "mount_setattr", -100, b"/", 0, ctypes.create_string_buffer(32), 32)
calls("a new user namespace", "unshare", 0x10000000)
calls("a new mount namespace", "unshare", 0x00020000)
calls("a new user namespace by clone", "clone", 0x10000000 | 17, 0, 0, 0, 0)
calls("clone3, whose flags nobody sees", "clone3", 0, 0)
calls("entering a namespace", "setns", 0, 0)
calls("chroot", "chroot", b"/content")
calls("pivot_root", "pivot_root", b".", b".")
calls("bpf", "bpf", 0, 0, 0)
calls("io_uring", "io_uring_setup", 1, ctypes.create_string_buffer(256))
calls("keyrings", "keyctl", 0, -3, 0)
calls("a new key", "add_key", b"user", b"x", b"y", 1, -3)
calls("a key asked for", "request_key", b"user", b"x", None, -3)
calls("performance events", "perf_event_open", ctypes.create_string_buffer(256), 0, -1, -1, 0)
calls("userfaultfd", "userfaultfd", 0)
calls("files by handle", "open_by_handle_at", -100, ctypes.create_string_buffer(64), 0)
calls("a kernel module", "init_module", 0, 0, b"")
calls("another kernel", "kexec_load", 0, 0, 0, 0)
calls("memory of another process", "process_vm_readv", 1, 0, 0, 0, 0, 0)
calls("a reboot", "reboot", 0, 0, 0, 0)
calls("the clock", "settimeofday", ctypes.create_string_buffer(16), 0)
calls("the kernel's log", "syslog", 3, ctypes.create_string_buffer(16), 16)


@probe("the x32 calls")
def _(world: dict[str, Any]) -> object:
    child = os.fork()
    if child == 0:
        try:
            refused(0x40000000 + 39)
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise Reached("the call went through")
    return "the process was ended" if os.WIFSIGNALED(status) else "refused"


# ── devices and kernel files ───────────────────────────────────────────────────────────────────────────────────────

for device in ("kmsg", "mem", "kvm", "vda", "sda", "fuse", "loop-control", "net/tun"):
    reads(f"the device {device}", f"/dev/{device}")

writes("where crashes are sent", "/proc/sys/kernel/core_pattern")
writes("the magic keys", "/proc/sysrq-trigger")
writes("the machine's programs", "/usr/bin/new")
writes("the root folder", "/new")
writes("the devices' folder", "/dev/new")
writes("the agent", "/opt/collegium/collegium_agent/__main__.py")


@probe("a block device made here")
def _(world: dict[str, Any]) -> object:
    os.mknod("/content/block", 0o600 | 0o060000, os.makedev(254, 0))
    with open("/content/block", "rb") as file:
        raise Reached(f"read {len(file.read(1))} bytes")


@probe("control groups")
def _(world: dict[str, Any]) -> object:
    if os.path.exists("/sys/fs/cgroup") and os.listdir("/sys/fs/cgroup"):
        raise Reached("they are here")


@probe("the names of what the overlay keeps for itself")
def _(world: dict[str, Any]) -> object:
    folder = os.path.join(sys.prefix, "mine")
    os.mkdir(folder)
    os.setxattr(folder, "user.overlay.redirect", b"/../../../etc")
    if os.listdir(folder):
        raise Reached("redirected")
    return "only a word"


@probe("changing an interface")
def _(world: dict[str, Any]) -> object:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as routing:
        message = struct.pack("=LHHLLBxHiII", 32, 16, 0x0005, 1, 0, 0, 0, 1, 0, 1)
        routing.bind((0, 0))
        routing.send(message)
        (code,) = struct.unpack_from("=i", routing.recv(4096), 16)
    if code == 0:
        raise Reached("an interface was changed")
    return os.strerror(-code)


@probe("a link in place of the state that the agent writes")
def _(world: dict[str, Any]) -> object:
    if os.access("/var/lib/collegium", os.W_OK):
        os.symlink("/etc/passwd", "/var/lib/collegium/probe-link")
        try:
            with open("/var/lib/collegium/probe-link", "a"):
                raise Reached("wrote through it")
        finally:
            os.unlink("/var/lib/collegium/probe-link")


@probe("a set-user-id file made in the environment")
def _(world: dict[str, Any]) -> object:
    path = os.path.join(sys.prefix, "suid")
    with open("/usr/bin/id", "rb") as source, open(path, "wb") as target:
        target.write(source.read())
    os.chmod(path, 0o6755)
    done = subprocess.run([path, "-u"], capture_output=True, text=True)
    if done.stdout.strip() != "1000":
        raise Reached(done.stdout)


@probe("a device node in the environment")
def _(world: dict[str, Any]) -> object:
    os.mknod(os.path.join(sys.prefix, "node"), 0o600 | 0o020000, os.makedev(1, 1))
    with open(os.path.join(sys.prefix, "node"), "rb"):
        raise Reached("opened")


@probe("the stage on which the root was made")
def _(world: dict[str, Any]) -> object:
    for path in ("/.layers", "/.layers/own/upper", "/tmp/.layers"):
        if os.path.exists(path):
            raise Reached(path)


# ── becoming somebody else ─────────────────────────────────────────────────────────────────────────────────────────


@probe("a setuid program")
def _(world: dict[str, Any]) -> object:
    done = subprocess.run(["su", "-c", "id -u"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.stdout.strip() == "0":
        raise Reached("root")


@probe("setuid(0)")
def _(world: dict[str, Any]) -> object:
    os.setuid(0)
    raise Reached("root")


@probe("keystrokes put into a terminal")
def _(world: dict[str, Any]) -> object:
    ours, _theirs = os.openpty()
    fcntl.ioctl(ours, 0x5412, b"x")
    raise Reached("accepted")


@probe("capabilities, privileges to gain, and the filter")
def _(world: dict[str, Any]) -> object:
    with open("/proc/self/status") as file:
        status = dict(line.split(":\t") for line in file.read().splitlines() if ":\t" in line)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        if int(status[name], 16):
            raise Reached(f"{name} {status[name]}")
    if (status["NoNewPrivs"], status["Seccomp"]) != ("1", "2"):
        raise Reached("privileges can be gained, or nothing is filtered")


@probe("being root outside")
def _(world: dict[str, Any]) -> object:
    with open("/proc/self/uid_map") as file:
        inside, outside, count = map(int, file.read().split())
    if outside == 0 or inside == 0 or count != 1:
        raise Reached(f"{inside} {outside} {count}")


def run(world: dict[str, Any], only: list[str] | None = None) -> list[tuple[str, bool, str]]:
    """All of them, or only some: name, whether it was stopped, and how."""
    found = []
    for name in only or PROBES:
        attempt = PROBES[name]
        try:
            found.append((name, True, str(attempt(world))))
        except Reached as hole:
            found.append((name, False, str(hole)))
        except (OSError, KeyError) as error:
            found.append((name, True, f"{type(error).__name__}: {error}"))
    return found
