"""What this machine can do for runtimes, what it cannot, and how to mend that."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

KERNEL_LEAST = (5, 12)
KERNEL_IDMAPPED_OVERLAY = (5, 19)
CONTROLLERS = ("memory", "pids", "cpu")
TRY_NAMESPACES = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000) != 0:
    sys.exit("a user namespace is refused: " + os.strerror(ctypes.get_errno()))
if libc.unshare(0x7e020000 & ~0x10000000) != 0:
    sys.exit("in a user namespace the others are refused: " + os.strerror(ctypes.get_errno()))
if libc.mount(None, b"/", None, ctypes.c_ulong(16384 | 1 << 18), None) != 0:
    sys.exit("in a user namespace mounting is refused: " + os.strerror(ctypes.get_errno()))
"""
APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
USERNS_CLONE = Path("/proc/sys/kernel/unprivileged_userns_clone")
USERNS_MAX = Path("/proc/sys/user/max_user_namespaces")

State = Literal["ok", "degraded", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a runtime needs or could use. `degraded`: runtimes work, with a loss that `detail` names."""

    name: str
    state: State
    detail: str
    remedy: str | None = None


def report() -> list[Finding]:
    """Everything that can be said of this machine. Takes about a tenth of a second and changes nothing."""
    return [
        _kernel(),
        _namespaces(),
        _seccomp(),
        *_cgroups(),
        _user(),
        _disk(),
        _overlay(),
        _idmapped(),
        _gvisor(),
        _gpu(),
    ]


def _version() -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", platform.release())
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _kernel() -> Finding:
    found = f"Linux {platform.release()} on {platform.machine()}"
    if platform.machine() not in ("x86_64", "aarch64"):
        return Finding("Linux", "missing", found, "runtimes need a processor of kind x86_64 or aarch64")
    if _version() < KERNEL_LEAST:
        return Finding("Linux", "missing", found, f"runtimes need Linux {KERNEL_LEAST[0]}.{KERNEL_LEAST[1]} or newer")
    return Finding("Linux", "ok", found)


def _namespaces() -> Finding:
    result = subprocess.run([sys.executable, "-I", "-S", "-c", TRY_NAMESPACES], capture_output=True, text=True)
    if result.returncode == 0:
        return Finding("namespaces", "ok", "user, mnt, pid, net, ipc, uts and cgroup")
    why = (result.stderr.strip().splitlines() or ["they are refused"])[-1]
    return Finding("namespaces", "missing", why, _namespaces_remedy())


def _namespaces_remedy() -> str:
    if _number(APPARMOR) == 1:
        return (
            "AppArmor refuses them to ordinary users: start the server as root, "
            "or: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        )
    if _number(USERNS_CLONE) == 0:
        return "start the server as root, or: sudo sysctl kernel.unprivileged_userns_clone=1"
    if _number(USERNS_MAX) == 0:
        return "sudo sysctl user.max_user_namespaces=65536"
    return "in a container: start it with the rights to make namespaces, or choose another engine"


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _seccomp() -> Finding:
    if Path("/proc/sys/kernel/seccomp/actions_avail").exists():
        return Finding("seccomp", "ok", "system calls are filtered by an allow list")
    return Finding("seccomp", "missing", "this kernel has none", "use a kernel with CONFIG_SECCOMP_FILTER")


def _cgroups() -> Iterator[Finding]:
    held = _held_by_cgroups()
    remedy = (
        "start the server as root, or with: systemd-run --user --scope -p Delegate=yes collegium serve"
        if os.geteuid()
        else "mount control groups so that root may write to them"
    )
    losses = {
        "memory": "memory is bounded for each process alone, not for a runtime as a whole",
        "pids": "processes are bounded by a resource limit instead",
        "cpu": "a runtime may use all processors",
    }
    for controller in CONTROLLERS:
        name = f"control group {controller}"
        if controller in held:
            yield Finding(name, "ok", f"version {held[controller]}")
        else:
            yield Finding(name, "degraded", losses[controller], remedy)


def _held_by_cgroups() -> dict[str, int]:
    """Which controllers this user may use, and of which version they are."""
    own: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        own |= dict.fromkeys(controllers.split(","), path)
    found: dict[str, int] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = (part.split() for part in line.split(" - ", 1))
        if right[0] == "cgroup2":
            folder = Path(left[4]) if os.geteuid() == 0 else Path(left[4] + own.get("", "/"))
            if os.access(folder / "cgroup.subtree_control", os.W_OK):
                names = (folder / "cgroup.controllers").read_text().split()
                found |= {name: 2 for name in names if name in CONTROLLERS}
        elif right[0] == "cgroup":
            for name in right[2].split(","):
                if name in CONTROLLERS and name in own and os.access(left[4] + own[name], os.W_OK):
                    found.setdefault(name, 1)
    return found


def _user() -> Finding:
    if os.geteuid() == 0:
        return Finding("user", "ok", "root: each runtime has a user id of its own; the web server gives root up")
    detail = "an ordinary user: runtimes share this user's id outside, and are apart by namespaces alone"
    return Finding("user", "degraded", detail, "start the server as root; it keeps it for the engine alone")


def _disk() -> Finding:
    if os.geteuid() != 0:
        return Finding("disk limits", "degraded", "an ordinary user cannot mount, so nothing bounds a runtime's files")
    if not Path("/dev/loop-control").exists():
        return Finding("disk limits", "degraded", "there are no loop devices", "modprobe loop")
    if shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
        return Finding("disk limits", "degraded", "mkfs.ext4 is missing", "apt install e2fsprogs")
    return Finding("disk limits", "ok", "each runtime has a file system of its own size")


def _overlay() -> Finding:
    if "overlay" in Path("/proc/filesystems").read_text():
        return Finding("overlay", "ok", "packages can be installed over an environment")
    return Finding("overlay", "degraded", "packages go beside an environment, not over it", "modprobe overlay")


def _idmapped() -> Finding:
    if os.geteuid() == 0 and _version() >= KERNEL_IDMAPPED_OVERLAY:
        return Finding("idmapped mounts", "ok", "a runtime can be root inside without being it outside")
    return Finding(
        "idmapped mounts", "degraded", "a runtime's user cannot be root inside: they need root and Linux 5.19"
    )


def _gvisor() -> Finding:
    if found := shutil.which("runsc"):
        return Finding("gVisor", "ok", found)
    return Finding("gVisor", "degraded", "not installed; optional: a second wall around runtimes", "https://gvisor.dev")


def _gpu() -> Finding:
    found = [path.name for path in Path("/dev").glob("nvidia[0-9]*")]
    if found:
        return Finding("accelerators", "ok", f"{len(found)} NVIDIA: {', '.join(sorted(found))}")
    return Finding("accelerators", "degraded", "none; optional")
