"""Control groups: what bounds a runtime as a whole, on version 1, version 2 or not at all, which is then said."""

import errno
import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collegium_runtimed.plan import Limits

CPU_PERIOD_US = 100_000
EMPTY_SECONDS_MAX = 5.0
V1_CONTROLLERS = ("memory", "pids", "cpu", "cpuacct")
V2_CONTROLLERS = ("memory", "pids", "cpu")
DELEGATE = "start the server with: systemd-run --user --scope -p Delegate=yes collegium serve"
ROOT = "start the server as root, or under a unit with Delegate=yes"


@dataclass(frozen=True, slots=True)
class Mounts:
    """Where control groups are mounted, and where in them this process is."""

    v1: dict[str, Path]
    v2: Path | None
    v2_root: Path | None


def find_mounts() -> Mounts:
    """Read /proc/self for them."""
    own: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        own |= dict.fromkeys(controllers.split(","), path)
    v1: dict[str, Path] = {}
    v2 = v2_root = None
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = (part.split() for part in line.split(" - ", 1))
        root, mountpoint = left[3], Path(left[4])
        if right[0] == "cgroup2":
            v2_root, v2 = mountpoint, _below(mountpoint, root, own.get("", "/"))
        elif right[0] == "cgroup":
            for controller in right[2].split(","):
                if controller in V1_CONTROLLERS and controller in own:
                    v1.setdefault(controller, _below(mountpoint, root, own[controller]))
    return Mounts(v1, v2, v2_root)


def _below(mountpoint: Path, root: str, own: str) -> Path:
    inside = os.path.relpath(own, root)
    path = mountpoint / inside
    return mountpoint if inside.startswith("..") or not path.is_dir() else path


class Groups:
    """Makes, reads and removes the groups of runtimes. This base class bounds nothing."""

    kind = "none"

    def enforced(self) -> set[str]:
        """Which of memory, processes, cpus hold."""
        return set()

    def make(self, name: str, limits: Limits) -> list[str]:
        """Folders whose `cgroup.procs` a runtime's first process joins."""
        return []

    def close(self) -> None:
        """Take away the groups that held those of runtimes, unless some are left."""
        for folder in self.parents():
            with suppress(OSError):
                folder.rmdir()

    def parents(self) -> list[Path]:
        """The folders below which runtimes have theirs."""
        return []

    def remove_strangers(self, known: set[str]) -> None:
        """Take away the groups of runtimes and zygotes that are no more, and end what is in them. Blocks."""
        for parent in self.parents():
            if parent.is_dir():
                remove([str(path) for path in parent.iterdir() if path.is_dir() and path.name not in known])


class GroupsV1(Groups):
    """One folder per controller, below the group this process is in."""

    kind = "v1"

    def __init__(self, mounts: Mounts, label: str) -> None:
        self.folders = {name: path / label for name, path in mounts.v1.items() if os.access(path, os.W_OK)}

    def enforced(self) -> set[str]:
        """Each controller bounds its own."""
        names = {"memory": "memory", "pids": "processes", "cpu": "cpus"}
        return {names[controller] for controller in self.folders if controller in names}

    def parents(self) -> list[Path]:
        """One for each controller."""
        return list(self.folders.values())

    def make(self, name: str, limits: Limits) -> list[str]:
        """Folders with the limits set."""
        made = {controller: folder / name for controller, folder in self.folders.items()}
        for folder in made.values():
            folder.mkdir(parents=True, exist_ok=True)
        if "memory" in made:
            (made["memory"] / "memory.limit_in_bytes").write_text(str(limits.memory_bytes))
            with_swap = made["memory"] / "memory.memsw.limit_in_bytes"
            if with_swap.exists():
                with_swap.write_text(str(limits.memory_bytes))
            else:
                (made["memory"] / "memory.swappiness").write_text("0")
        if "pids" in made:
            (made["pids"] / "pids.max").write_text(str(limits.processes))
        if "cpu" in made:
            (made["cpu"] / "cpu.cfs_period_us").write_text(str(CPU_PERIOD_US))
            (made["cpu"] / "cpu.cfs_quota_us").write_text(str(int(limits.cpus * CPU_PERIOD_US)))
        return [str(folder) for folder in made.values()]


class GroupsV2(Groups):
    """One folder, below a group in which we may make some."""

    kind = "v2"

    def __init__(self, mounts: Mounts, label: str) -> None:
        assert mounts.v2 is not None
        assert mounts.v2_root is not None
        # The true root of the tree, which has no type, may hold processes and groups; another must choose.
        true_root = not (mounts.v2_root / "cgroup.type").exists()
        self.base = mounts.v2_root if os.geteuid() == 0 and true_root else mounts.v2
        if not os.access(self.base / "cgroup.subtree_control", os.W_OK):
            raise PermissionError(f"{self.base} is not delegated to this user")
        _give_controllers(self.base)
        self.folder = self.base / label
        self.folder.mkdir(exist_ok=True)
        _give_controllers(self.folder)
        self.controllers = set((self.folder / "cgroup.subtree_control").read_text().split())

    def enforced(self) -> set[str]:
        """What was delegated."""
        names = {"memory": "memory", "pids": "processes", "cpu": "cpus"}
        return {name for controller, name in names.items() if controller in self.controllers}

    def parents(self) -> list[Path]:
        """The one."""
        return [self.folder]

    def make(self, name: str, limits: Limits) -> list[str]:
        """A folder with the limits set."""
        made = self.folder / name
        made.mkdir(exist_ok=True)
        if "memory" in self.controllers:
            (made / "memory.max").write_text(str(limits.memory_bytes))
            swap = made / "memory.swap.max"
            if swap.exists():
                swap.write_text("0")
        if "pids" in self.controllers:
            (made / "pids.max").write_text(str(limits.processes))
        if "cpu" in self.controllers:
            (made / "cpu.max").write_text(f"{int(limits.cpus * CPU_PERIOD_US)} {CPU_PERIOD_US}")
        return [str(made)]


def _give_controllers(folder: Path) -> None:
    """Let groups below `folder` be bounded; processes in it move to a leaf, as version 2 demands."""
    have = (folder / "cgroup.controllers").read_text().split()
    given = (folder / "cgroup.subtree_control").read_text().split()
    for controller in V2_CONTROLLERS:
        if controller not in have or controller in given:
            continue
        try:
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            _move_processes(folder, folder / "supervisor")
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")


def _move_processes(folder: Path, leaf: Path) -> None:
    leaf.mkdir(exist_ok=True)
    for pid in (folder / "cgroup.procs").read_text().split():
        try:
            (leaf / "cgroup.procs").write_text(pid)
        except ProcessLookupError:
            continue


def open_groups(label: str) -> tuple[Groups, str | None]:
    """The best this machine allows, and why it is not all, if it is not."""
    mounts = find_mounts()
    v2_controllers = (mounts.v2 / "cgroup.controllers").read_text().split() if mounts.v2 else []
    try:
        if "memory" in v2_controllers:
            return GroupsV2(mounts, label), None
        if mounts.v1:
            groups = GroupsV1(mounts, label)
            return groups, None if groups.folders else "the control groups of this machine belong to root"
    except OSError as error:
        return Groups(), str(error)
    return Groups(), "this machine has no control groups mounted"


def usage(folders: list[str]) -> dict[str, Any]:
    """What the processes of a group use and used; a number nobody counts is None."""
    found: dict[str, Any] = {}
    for folder in map(Path, folders):
        if (folder / "memory.events").exists() or (folder / "cgroup.events").exists():
            found |= _usage_v2(folder)
        else:
            found |= _usage_v1(folder)
    names = ("memory_bytes", "memory_peak_bytes", "cpu_seconds", "processes", "oom_kills")
    return {name: found.get(name) for name in names}


def _usage_v1(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (folder / "memory.oom_control").exists():
        stat, oom = _pairs(folder / "memory.stat"), _pairs(folder / "memory.oom_control")
        found["memory_bytes"] = max(0, _number(folder / "memory.usage_in_bytes") - stat.get("total_inactive_file", 0))
        found["memory_peak_bytes"] = _number(folder / "memory.max_usage_in_bytes")
        found["oom_kills"] = oom.get("oom_kill", 0)
    if (folder / "pids.current").exists():
        found["processes"] = _number(folder / "pids.current")
    if (folder / "cpuacct.usage").exists():
        found["cpu_seconds"] = _number(folder / "cpuacct.usage") / 1e9
    return found


def _usage_v2(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"cpu_seconds": _pairs(folder / "cpu.stat").get("usage_usec", 0) / 1e6}
    if (folder / "memory.current").exists():
        stat = _pairs(folder / "memory.stat")
        found["memory_bytes"] = max(0, _number(folder / "memory.current") - stat.get("inactive_file", 0))
        found["oom_kills"] = _pairs(folder / "memory.events").get("oom_kill", 0)
    if (folder / "memory.peak").exists():
        found["memory_peak_bytes"] = _number(folder / "memory.peak")
    if (folder / "pids.current").exists():
        found["processes"] = _number(folder / "pids.current")
    return found


def _number(path: Path) -> int:
    return int(path.read_text())


def _pairs(path: Path) -> dict[str, int]:
    lines = (line.split() for line in path.read_text().splitlines())
    return {line[0]: int(line[1]) for line in lines if len(line) == 2}


def remove(folders: list[str]) -> None:
    """End what is left in these groups, and take them away. Blocks for a moment; gone already is fine."""
    deadline = time.monotonic() + EMPTY_SECONDS_MAX
    for folder in map(Path, folders):
        while folder.exists():
            _kill_members(folder)
            try:
                folder.rmdir()
            except OSError as error:
                if error.errno == errno.ENOENT:
                    break
                if error.errno != errno.EBUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)


def _kill_members(folder: Path) -> None:
    all_at_once = folder / "cgroup.kill"
    if all_at_once.exists():
        all_at_once.write_text("1")
        return
    for pid in (folder / "cgroup.procs").read_text().split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            continue
