"""What this machine can do for runtimes, what it cannot, and how to mend that."""

import http.client
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from collegium.runtimes.languages import IRKERNEL

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
TRY_OVERLAY = (
    TRY_NAMESPACES
    + """
def mount(*words):
    if libc.mount(*words) != 0:
        sys.exit(words[2].decode() + ": " + os.strerror(ctypes.get_errno()))
mount(b"t", b"/tmp", b"tmpfs", ctypes.c_ulong(0), None)
for name in ("l", "u", "w", "m"):
    os.mkdir("/tmp/" + name)
options = b"lowerdir=/tmp/l,upperdir=/tmp/u,workdir=/tmp/w,userxattr"
mount(b"o", b"/tmp/m", b"overlay", ctypes.c_ulong(0), options)
"""
)
APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
USERNS_CLONE = Path("/proc/sys/kernel/unprivileged_userns_clone")
USERNS_MAX = Path("/proc/sys/user/max_user_namespaces")
NVIDIA = Path("/proc/driver/nvidia/version")
TUN = Path("/dev/net/tun")
PROGRAMS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DOCKER_SOCKET = "/var/run/docker.sock"
DOCKER_SECONDS_MAX = 2.0
NEEDED = ("Linux", "namespaces", "seccomp")
"""Without one of these there is no wall around a runtime."""

Area = Literal["isolation", "limits", "network", "engines", "accelerators", "languages", "data"]
State = Literal["ok", "degraded", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a runtime needs or could use. `degraded`: runtimes work, with a loss that `detail` names."""

    area: Area
    name: str
    state: State
    detail: str
    remedy: str | None = None


def report(accelerators: Mapping[str, str | None] | None = None) -> list[Finding]:
    """Everything that can be said of this machine. Takes about a tenth of a second and changes nothing.

    `accelerators`: those that are known, by name, each with why it cannot be used.
    """
    return [
        *isolation(),
        _user(),
        _overlay(),
        _idmapped(),
        *_cgroups(),
        _disk(),
        _packages_network(),
        _internet(),
        _gvisor(),
        _docker(),
        *_accelerators(accelerators or {}),
        _r(),
    ]


def isolation() -> list[Finding]:
    """What the wall around a runtime is made of."""
    return [_kernel(), _namespaces(), _seccomp()]


def why_not_isolated(findings: Iterable[Finding]) -> str | None:
    """Why runtimes would not be walled off from this machine and from each other, or None."""
    holes = [f"{one.name}: {one.detail}" for one in findings if one.name in NEEDED and one.state == "missing"]
    return "; ".join(holes) or None


def _version() -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", platform.release())
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _kernel() -> Finding:
    found = f"Linux {platform.release()} on {platform.machine()}"
    if platform.machine() not in ("x86_64", "aarch64"):
        return Finding("isolation", "Linux", "missing", found, "runtimes need a processor of kind x86_64 or aarch64")
    if _version() < KERNEL_LEAST:
        return Finding(
            "isolation", "Linux", "missing", found, f"runtimes need Linux {KERNEL_LEAST[0]}.{KERNEL_LEAST[1]} or newer"
        )
    return Finding("isolation", "Linux", "ok", found)


def _namespaces() -> Finding:
    why = _tried(TRY_NAMESPACES)
    if why is None:
        return Finding("isolation", "namespaces", "ok", "user, mnt, pid, net, ipc, uts and cgroup")
    return Finding("isolation", "namespaces", "missing", why, _namespaces_remedy())


def _tried(script: str) -> str | None:
    """Why a script, in a process of its own, cannot do what it tries; None if it can."""
    result = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True)
    return None if result.returncode == 0 else (result.stderr.strip().splitlines() or ["it is refused"])[-1]


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
        return Finding("isolation", "seccomp", "ok", "system calls are filtered by an allow list")
    return Finding("isolation", "seccomp", "missing", "this kernel has none", "use a kernel with CONFIG_SECCOMP_FILTER")


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
            yield Finding("limits", name, "ok", f"version {held[controller]}")
        else:
            yield Finding("limits", name, "degraded", losses[controller], remedy)


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
        return Finding(
            "isolation", "user", "ok", "root: each runtime has a user id of its own; the web server gives root up"
        )
    detail = "an ordinary user: runtimes share this user's id outside, and are apart by namespaces alone"
    return Finding(
        "isolation", "user", "degraded", detail, "start the server as root; it keeps it for the engine alone"
    )


def _disk() -> Finding:
    if os.geteuid() != 0:
        return Finding(
            "limits", "disk limits", "degraded", "an ordinary user cannot mount, so nothing bounds a runtime's files"
        )
    if not Path("/dev/loop-control").exists():
        return Finding("limits", "disk limits", "degraded", "there are no loop devices", "modprobe loop")
    if shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
        return Finding("limits", "disk limits", "degraded", "mkfs.ext4 is missing", "apt install e2fsprogs")
    return Finding("limits", "disk limits", "ok", "each runtime has a file system of its own size")


def _overlay() -> Finding:
    if os.geteuid() == 0 and "overlay" in Path("/proc/filesystems").read_text():
        return Finding("isolation", "overlay", "ok", "packages are installed over an environment, and vanish with it")
    why = _tried(TRY_OVERLAY)
    if why is None:
        return Finding("isolation", "overlay", "ok", "packages are installed over an environment, and vanish with it")
    remedy = "modprobe overlay; an ordinary user needs Linux 5.11 for it"
    return Finding("isolation", "overlay", "degraded", f"an environment cannot be written over: {why}", remedy)


def _idmapped() -> Finding:
    if os.geteuid() == 0 and _version() >= KERNEL_IDMAPPED_OVERLAY:
        return Finding("isolation", "idmapped mounts", "ok", "a runtime can be root inside without being it outside")
    return Finding(
        "isolation",
        "idmapped mounts",
        "degraded",
        "a runtime's user cannot be root inside: they need root and Linux 5.19",
    )


def _packages_network() -> Finding:
    # What it needs besides is Python's, and the namespaces are reported by themselves.
    return Finding("network", "none, packages", "ok", "by namespaces of its own and a proxy")


def _internet() -> Finding:
    name, loss = "internet", "runtimes that should reach it have no network"
    lacking = [one for one in ("slirp4netns", "nft") if shutil.which(one, path=PROGRAMS) is None]
    if lacking:
        remedy = "apt install slirp4netns nftables"
        return Finding("network", name, "degraded", f"{loss}: {' and '.join(lacking)} not installed", remedy)
    if os.geteuid() != 0 and not os.access(TUN, os.R_OK | os.W_OK):
        remedy = f"chmod 0666 {TUN}, as udev does; or start the server as root"
        return Finding("network", name, "degraded", f"{loss}: {TUN} cannot be used", remedy)
    return Finding("network", name, "ok", "public addresses alone, by slirp4netns and nftables")


def _gvisor() -> Finding:
    runsc = shutil.which("runsc", path=PROGRAMS)
    if runsc is None:
        detail = "not installed; optional: a second wall around runtimes, with the Docker engine"
        return Finding("engines", "gVisor", "degraded", detail, "https://gvisor.dev/docs/user_guide/install")
    platform_ = "kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) else "systrap or ptrace"
    return Finding("engines", "gVisor", "ok", f"{runsc}, platform {platform_}; used by the Docker engine")


def _docker() -> Finding:
    host = os.environ.get("DOCKER_HOST", f"unix://{DOCKER_SOCKET}")
    if not host.startswith("unix://"):
        return Finding("engines", "Docker", "ok", f"at {host}, not tried")
    address = host.removeprefix("unix://")
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(DOCKER_SECONDS_MAX)
            connection.connect(address)
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            answer = http.client.HTTPResponse(connection)
            answer.begin()
    except FileNotFoundError:
        return Finding("engines", "Docker", "degraded", "no daemon runs; optional: the second engine")
    except (OSError, http.client.HTTPException) as error:
        remedy = "add the server's user to the group docker, which makes it as good as root"
        return Finding("engines", "Docker", "degraded", f"{address}: {error}; optional: the second engine", remedy)
    version = answer.headers.get("Api-Version", "unknown")
    return Finding("engines", "Docker", "ok", f"{address} answers, API version {version}")


def _accelerators(known: Mapping[str, str | None]) -> Iterator[Finding]:
    if NVIDIA.exists():
        driver = NVIDIA.read_text(errors="replace").splitlines()[0]
        yield Finding("accelerators", "NVIDIA's driver", "ok", driver.removeprefix("NVRM version: ").strip())
    elif nodes := sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*")):
        remedy = "install NVIDIA's driver, or load it: modprobe nvidia"
        detail = f"{', '.join(nodes)} without the driver"
        yield Finding("accelerators", "NVIDIA's driver", "degraded", detail, remedy)
    elif not any(reason is None for reason in known.values()):
        yield Finding("accelerators", "NVIDIA's driver", "degraded", "there is none; optional")
    for name, reason in known.items():
        if reason is None:
            yield Finding("accelerators", name, "ok", "its devices are there")
        else:
            yield Finding("accelerators", name, "degraded", reason, "see the setting runtimes.accelerators")


def _r() -> Finding:
    if IRKERNEL.exists():
        return Finding("languages", "R", "ok", "notebooks in R run with Debian's packages")
    remedy = "apt install r-base-core r-cran-irkernel"
    return Finding("languages", "R", "degraded", "not installed; optional: notebooks in R", remedy)
