"""The inside of a runtime: its own root file system, limits, and no way back; run by what becomes its PID 1."""

import os
import resource
import shutil
import socket
from pathlib import Path
from typing import NoReturn

from collegium_runtimed import layers, linux, seccomp
from collegium_runtimed.disk import mount_image
from collegium_runtimed.plan import AGENT_HOME, LISTEN_FD, STATE_INSIDE, UID_INSIDE, Bind, Plan

STAGE = "/tmp"  # noqa: S108 - any folder that surely exists; covered by a file system of our own namespace
ROOT_BYTES = 4 << 20
DEV_BYTES = 1 << 20
SCRATCH_BYTES = 64 << 20
FILES_MAX = 65536
LOCKED_BYTES_MAX = 64 << 20
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
FOLDERS = (
    "usr", "etc", "proc", "dev", "tmp", "run", "mnt", "opt", "root", "srv", "media",
    "home/colab", "content", "var/log", "var/cache", "var/spool", "var/lib/collegium", "sys/devices/system",
)  # fmt: skip
READ_ONLY_PROC = ("bus", "fs", "irq", "sys", "sysrq-trigger")
MASKED_PROC = (
    "acpi", "asound", "interrupts", "kcore", "key-users", "keys", "kmsg", "kpagecgroup", "kpagecount", "kpageflags",
    "latency_stats", "sched_debug", "scsi", "slabinfo", "timer_list", "timer_stats", "vmallocinfo",
)  # fmt: skip
ETC = {
    "passwd": f"root:x:0:0:root:/root:/usr/sbin/nologin\n"
    f"colab:x:{UID_INSIDE}:{UID_INSIDE}:Colab:/home/colab:/bin/bash\n"
    f"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": f"root:x:0:\ncolab:x:{UID_INSIDE}:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost runtime\n::1 localhost ip6-localhost ip6-loopback\n",
    "hostname": "runtime\n",
    "resolv.conf": "# This runtime has no network.\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    "shells": "/bin/sh\n/bin/bash\n",
}

COMMANDS = f"{AGENT_HOME}/bin"
NO_APT = """#!/bin/sh
cat >&2 <<END
${0##*/}: Debian packages cannot be installed in this runtime; its system belongs to nobody in it.
  Python packages, also many programs and libraries:  %pip install NAME   (or: !uv pip install NAME)
  Everything else: ask the administrator for a runtime version that has it; Runtime > Change runtime type.
END
exit 100
"""
NO_SUDO = """#!/bin/sh
# There is nobody else to become here: what follows runs as it is.
case "$1" in -*|"") echo "sudo: there is no other user in this runtime; leave sudo away" >&2; exit 1;; esac
exec "$@"
"""

Trees = list[tuple[Bind, int]]
"""Mounts as descriptors, in the order in which they are put in place."""


def own_binds(plan: Plan, disk: str) -> list[Bind]:
    """What the runtime writes to."""
    places = {"tmp": "/tmp", "content": "/content", "home": "/home/colab", "state": STATE_INSIDE}  # noqa: S108
    if plan.writable:
        places["layer"] = layers.OWN
    return [Bind(f"{disk}/{name}", target, read_only=False) for name, target in places.items()]


def machine_binds(plan: Plan) -> list[Bind]:
    """What is taken from the machine."""
    devices = [Bind(f"/dev/{name}", f"/dev/{name}", read_only=False, devices=True) for name in DEVICES]
    environment = [] if layers.are_joined(plan) else [Bind(plan.lowers[0], plan.environment)]
    return [*devices, *plan.binds, *environment]


def take_trees(binds: list[Bind]) -> Trees:
    """Copies of these mounts, attached nowhere yet."""
    return [(bind, linux.open_tree(bind.source)) for bind in binds]


def take_from_image(plan: Plan, image: str) -> Trees:
    """What the runtime writes to, on a file system of its own, which no namespace but the runtime's will show."""
    mount_image(image, STAGE, uid=plan.uid, gid=plan.gid)
    trees = take_trees(own_binds(plan, STAGE))
    linux.umount_detached(STAGE)
    return trees


def enter(plan: Plan, trees: Trees) -> None:
    """Build the root in this process's own namespaces, go there, and give up every right."""
    _build_root(plan, trees)
    socket.sethostname("runtime")
    if plan.net_fd is None:
        linux.loopback_up()
    _limit(plan)
    linux.drop_capabilities()
    linux.no_new_privileges()
    linux.install_filter(seccomp.program(seccomp.machine()))


def become_agent(plan: Plan) -> NoReturn:
    """Replace this process by the runtime's PID 1, or raise."""
    command = plan.command or (f"{plan.environment}/bin/python", "-P", *agent_words(plan))
    if not os.access(command[0], os.X_OK):
        raise PermissionError(f"{command[0]} cannot be executed by the runtime's user: is a folder above it closed?")
    linux.reset_signals()
    os.execve(command[0], command, variables(plan))  # noqa: S606


def agent_words(plan: Plan) -> list[str]:
    """What Python is told to become the agent."""
    words = ["-m", "collegium_agent", "--listen-fd", str(LISTEN_FD), "--state", STATE_INSIDE]
    return [*words, *(("--warm", "python3") if plan.warm else ())]


def variables(plan: Plan) -> dict[str, str]:
    """The environment variables that everything inside starts with: nothing of the machine's own."""
    threads = str(max(1, round(plan.limits.cpus)))
    return {
        "PATH": f"{COMMANDS}:{plan.environment}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/home/colab",
        "USER": "colab",
        "LOGNAME": "colab",
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "VIRTUAL_ENV": plan.environment,
        "PYTHONPATH": AGENT_HOME,
        **({} if plan.writable else {"PYTHONDONTWRITEBYTECODE": "1"}),
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_LINK_MODE": "copy",
        "UV_PYTHON_DOWNLOADS": "never",
        **plan.variables,
    }


def _lay_out(plan: Plan) -> None:
    """An empty root with its folders, links, /etc and /dev; the working directory from now on."""
    linux.mount("tmpfs", STAGE, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, f"mode=755,size={ROOT_BYTES}")
    os.chdir(STAGE)
    for folder in FOLDERS:
        os.makedirs(folder, exist_ok=True)
    for name, target in plan.links:
        os.symlink(target, name)
    _write_etc(plan)
    linux.mount("tmpfs", "dev", "tmpfs", linux.MS_NOSUID, f"mode=755,size={DEV_BYTES}")


def _build_root(plan: Plan, trees: Trees) -> None:
    _lay_out(plan)
    _write_commands()
    os.symlink("../tmp", "var/tmp")
    # Outer before inner: an environment may lie below /tmp or /var/tmp, as it does in a checkout there.
    depth = plan.environment.count("/") if layers.are_joined(plan) else 0
    for bind, tree in sorted(trees, key=lambda pair: _depth(pair[0])):
        if depth and _depth(bind) > depth:
            layers.join(plan)
            depth = 0
        _attach(bind, tree)
        os.close(tree)
    if depth:
        layers.join(plan)
    _mount_proc()
    _furnish_dev()
    _copy_skeleton(plan)
    linux.pivot_root_here()
    for path in ("/dev", "/"):
        linux.restrict_mount(path, read_only=True, devices=path == "/dev", recursive=False)


def build_template_root(plan: Plan, trees: Trees) -> None:
    """The root of a zygote: the machine's programs and an environment, and folders that only it writes to."""
    _lay_out(plan)
    own = f"mode=700,size={SCRATCH_BYTES},uid={plan.uid},gid={plan.gid}"
    for folder in ("tmp", "home/colab"):
        linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, own)
    for bind, tree in sorted(trees, key=lambda pair: _depth(pair[0])):
        _attach(bind, tree)
        os.close(tree)
    # Only its own processes are shown. Nothing may lie over it, or no runtime below could mount one of its own.
    linux.mount("proc", "proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC, "hidepid=2")
    os.symlink("/proc/self/fd", "dev/fd")
    os.makedirs("dev/shm")
    _copy_skeleton(plan)
    for folder, _folders, files in os.walk("home/colab"):
        for path in (folder, *(f"{folder}/{name}" for name in files)):
            os.chown(path, plan.uid, plan.gid, follow_symlinks=False)
    linux.pivot_root_here()
    for path in ("/dev", "/"):
        linux.restrict_mount(path, read_only=True, devices=path == "/dev", recursive=False)


def _attach(bind: Bind, tree: int) -> None:
    target = "." + bind.target
    # The tree says what it is; its path may be out of this user's reach.
    if os.path.isdir(f"/proc/self/fd/{tree}"):
        os.makedirs(target, exist_ok=True)
    elif not os.path.lexists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    linux.move_mount(tree, target)
    linux.restrict_mount(target, read_only=bind.read_only, devices=bind.devices)


def _depth(bind: Bind) -> int:
    return 0 if bind.target.startswith(layers.STAGED) else bind.target.count("/")


def _write_etc(plan: Plan) -> None:
    for name, text in ETC.items():
        Path("etc", name).write_text(text)
    if plan.resolv_conf:
        Path("etc/resolv.conf").write_text(plan.resolv_conf)


def _write_commands() -> None:
    folder = Path("." + COMMANDS)
    folder.mkdir(parents=True)
    for name, text in {**dict.fromkeys(("apt", "apt-get", "aptitude"), NO_APT), "sudo": NO_SUDO}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def _mount_proc() -> None:
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("proc", "proc", "proc", flags)
    for name in READ_ONLY_PROC:
        path = f"proc/{name}"
        if os.path.exists(path):
            linux.mount(path, path, None, linux.MS_BIND | linux.MS_REC)
            linux.restrict_mount(path, read_only=True)
    for name in MASKED_PROC:
        path = f"proc/{name}"
        if os.path.isdir(path):
            linux.mount("tmpfs", path, "tmpfs", flags, "size=0,mode=555")
            linux.restrict_mount(path, read_only=True)
        elif os.path.exists(path):
            linux.mount("dev/null", path, None, linux.MS_BIND)


def _furnish_dev() -> None:
    for folder in ("dev/pts", "dev/shm", "dev/mqueue"):
        os.mkdir(folder)
    no_exec = linux.MS_NOSUID | linux.MS_NOEXEC
    linux.mount("devpts", "dev/pts", "devpts", no_exec, "newinstance,ptmxmode=0666,mode=620")
    linux.mount("tmpfs", "dev/shm", "tmpfs", no_exec | linux.MS_NODEV, "mode=1777,size=50%")
    linux.mount("mqueue", "dev/mqueue", "mqueue", no_exec | linux.MS_NODEV)
    os.symlink("pts/ptmx", "dev/ptmx")
    os.symlink("/proc/self/fd", "dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"dev/{name}")


def _copy_skeleton(plan: Plan) -> None:
    """What the environment wants in a fresh home, like matplotlib's list of fonts, which takes a second to make."""
    skeleton = "." + f"{plan.environment}/share/collegium/home"
    if os.path.isdir(skeleton) and not os.listdir("home/colab"):
        shutil.copytree(skeleton, "home/colab", dirs_exist_ok=True, symlinks=True)


def _limit(plan: Plan) -> None:
    def at_most(what: int, wanted: int) -> None:
        hard = resource.getrlimit(what)[1]
        value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(what, (value, value))

    at_most(resource.RLIMIT_CORE, 0)
    at_most(resource.RLIMIT_NOFILE, FILES_MAX)
    at_most(resource.RLIMIT_MEMLOCK, LOCKED_BYTES_MAX)
    at_most(resource.RLIMIT_RTPRIO, 0)
    # Counted in this user namespace alone, so it bounds the runtime also where no cgroup does.
    at_most(resource.RLIMIT_NPROC, plan.limits.processes)
    if plan.data_bytes is not None:
        at_most(resource.RLIMIT_DATA, plan.data_bytes)
