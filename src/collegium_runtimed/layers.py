"""What is seen at an environment's path: read-only folders over each other, and over them what the runtime writes."""

import os
import stat

from collegium_runtimed import linux
from collegium_runtimed.plan import Bind, Plan

STAGED = "/.layers"
"""Where the parts lie in a runtime's root until they are joined; gone before anything of the runtime runs."""
OWN = f"{STAGED}/own"


def are_joined(plan: Plan) -> bool:
    """Whether there is anything to join; one folder that is only read is bound like any other."""
    return plan.writable or len(plan.lowers) > 1


def take_lowers(plan: Plan) -> list[tuple[Bind, int]]:
    """The folders to join, as mounts attached nowhere yet. As root their owner's files appear as the runtime's own:
    only so can it replace or remove them, where it writes."""
    if not are_joined(plan):
        return []
    return [
        (Bind(path, f"{STAGED}/{number}"), _take(path, plan if plan.distinct else None))
        for number, path in enumerate(plan.lowers)
    ]


def _take(path: str, mapped_for: Plan | None) -> int:
    folder = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        owner = os.fstat(folder)
        # Whoever owns the folder above may change names; what is mapped must be what was meant.
        if not stat.S_ISDIR(owner.st_mode) or os.readlink(f"/proc/self/fd/{folder}") != os.path.realpath(path):
            raise NotADirectoryError(f"{path} is no folder")
        tree = linux.open_tree_of(folder)
    finally:
        os.close(folder)
    if mapped_for is not None:
        maps = {
            "uid_map": f"{owner.st_uid} {mapped_for.uid} 1",
            "gid_map": f"{owner.st_gid} {mapped_for.gid} 1",
        }
        users = linux.user_namespace(maps)
        linux.map_owners(tree, users)
        os.close(users)
    return tree


def join(plan: Plan) -> None:
    """Mount them at the environment's path below the working folder, from where `take_lowers` and the runtime's own
    disk were staged, and take the stage away."""
    below = ":".join(f"{STAGED}/{number}"[1:] for number in range(len(plan.lowers)))
    options = f"lowerdir={below},userxattr"
    if plan.writable:
        # Nothing of it outlives the runtime, unless it is sealed: then whoever copies it sees to the disk.
        options += f",upperdir={OWN[1:]}/upper,workdir={OWN[1:]}/work,volatile"
    target = "." + plan.environment
    os.makedirs(target, exist_ok=True)
    linux.mount("overlay", target, "overlay", linux.MS_NOSUID | linux.MS_NODEV, options)
    for staged in os.listdir(STAGED[1:]):
        linux.umount_detached(f"{STAGED[1:]}/{staged}")
        os.rmdir(f"{STAGED[1:]}/{staged}")
    os.rmdir(STAGED[1:])
