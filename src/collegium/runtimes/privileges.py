"""Giving up root: the web server keeps none of it, and still sees the few folders it needs.

A project checked out below a closed home (`/root` is 0700) would be out of reach for the user that the server becomes.
So before root is gone, the process gets a view of its own in which the closed folder holds nothing but those needed.
"""

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

CLONE_NEWNS = 0x00020000
MS_REC, MS_SLAVE, MS_NOSUID, MS_NODEV = 16384, 1 << 19, 2, 4
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
OPEN_TREE_CLONE, MOVE_MOUNT_F_EMPTY_PATH = 1, 4
SYS_OPEN_TREE, SYS_MOVE_MOUNT = 428, 429
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 4, 24, 38, 47, 4

_libc = ctypes.CDLL(None, use_errno=True)


def drop_privileges(uid: int, gid: int, paths_needed: Iterable[Path]) -> None:
    """Become this user for good; root and no other may call it, before any thread was started.

    Afterwards `paths_needed` can be reached even if a folder above them is closed to the user, and nothing else
    below that folder can. What lies in them keeps its own permissions. Raises OSError if any step fails.
    """
    assert uid != 0, "that would be no loss"
    expose(uid, gid, paths_needed)
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        _prctl(PR_CAPBSET_DROP, capability)
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    # Linux hid /proc/self from us with the change; we look up our own descriptors there.
    _prctl(PR_SET_DUMPABLE, 1)


def expose(uid: int, gid: int, paths_needed: Iterable[Path]) -> None:
    """In a mount namespace of our own, make these paths reachable for a user."""
    closed: dict[Path, set[Path]] = {}
    for path in {Path(os.path.realpath(path)) for path in paths_needed}:
        folder = closed_ancestor(path, uid, gid)
        if folder is not None:
            closed.setdefault(folder, set()).add(path)
    if not closed:
        return
    here = os.getcwd()
    _checked(_libc.unshare(CLONE_NEWNS), "unshare")
    # Slave: what the machine mounts later still shows up here, and what we do never shows up there.
    _checked(_libc.mount(None, b"/", None, ctypes.c_ulong(MS_REC | MS_SLAVE), None), "mount / as slave")
    for folder, paths in closed.items():
        _show_only(folder, outermost(paths))
    os.chdir(here if os.path.isdir(here) else "/")


def closed_ancestor(path: Path, uid: int, gid: int) -> Path | None:
    """The first folder on the way to `path` that this user may not pass."""
    for folder in reversed(path.parents):
        status = folder.stat()
        if status.st_uid == uid:
            needed = stat.S_IXUSR
        elif status.st_gid == gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            return folder
    return None


def outermost(paths: set[Path]) -> list[Path]:
    """Those that lie in none of the others."""
    return sorted(path for path in paths if not any(other in path.parents for other in paths))


def _show_only(folder: Path, paths: list[Path]) -> None:
    trees = [(path, _open_tree(path)) for path in paths]
    options = b"mode=755,size=1m"
    result = _libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", ctypes.c_ulong(MS_NOSUID | MS_NODEV), options)
    _checked(result, f"mount on {folder}")
    for path, tree in trees:
        if os.path.isdir(f"/proc/self/fd/{tree}"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        result = _libc.syscall(SYS_MOVE_MOUNT, tree, b"", AT_FDCWD, os.fsencode(path), MOVE_MOUNT_F_EMPTY_PATH)
        _checked(result, f"move_mount on {path}")
        os.close(tree)


def _open_tree(path: Path) -> int:
    flags = OPEN_TREE_CLONE | os.O_CLOEXEC | AT_RECURSIVE
    return _checked(_libc.syscall(SYS_OPEN_TREE, AT_FDCWD, os.fsencode(path), flags), f"open_tree {path}")


def _prctl(option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    _checked(_libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero), f"prctl({option})")


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
