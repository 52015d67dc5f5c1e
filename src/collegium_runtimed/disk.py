"""A runtime's disk: a folder, or where root can mount, a file system of its own size in a sparse file."""

import fcntl
import itertools
import os
import secrets
import shutil
import stat
import struct
import subprocess
import time
from pathlib import Path

from collegium_runtimed import linux

FOLDERS = {
    "content": 0o755, "home": 0o755, "state": 0o700, "tmp": 0o1777,
    "layer": 0o700, "layer/upper": 0o755, "layer/work": 0o700,
}  # fmt: skip
"""`layer` holds what is written over the environment; its own name is not seen inside."""
LOOP_CTL_GET_FREE, LOOP_CONFIGURE = 0x4C82, 0x4C0A
LO_FLAGS_AUTOCLEAR = 4
LOOP_CONFIG = struct.Struct("<II 5Q 4I 64s 64s 32s 2Q 8Q")
LOOP_TRIES_MAX = 20
FREE_SECONDS_MAX = 10.0
COPY_BYTES = 1 << 20
MKFS = ("-q", "-F", "-O", "^has_journal", "-m", "0", "-E", "lazy_itable_init=1,nodiscard")
"""No journal: the disk does not outlive the machine's uptime, nor does anybody want it to."""


def furnish(disk: str, *, uid: int, gid: int) -> None:
    """Make the folders that the runtime writes to, and give them to its user."""
    for name, mode in FOLDERS.items():
        path = f"{disk}/{name}"
        os.mkdir(path)
        os.chmod(path, mode)
        if os.geteuid() == 0:
            os.chown(path, uid, gid)


def make_image(image: Path, size_bytes: int, *, templates: Path) -> None:
    """A file with an empty file system of this size; takes the room that is used and no more."""
    template = templates / f"empty-{size_bytes}.ext4"
    if not template.exists():
        made = image.with_suffix(".template")
        with made.open("wb") as file:
            file.truncate(size_bytes)
        mkfs = shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin:/bin")
        if mkfs is None:
            raise FileNotFoundError("mkfs.ext4 is not installed (package e2fsprogs)")
        result = subprocess.run([mkfs, *MKFS, str(made)], capture_output=True, text=True, timeout=60)
        if result.returncode:
            raise OSError(f"mkfs.ext4: {result.stderr.strip()[:500]}")
        made.rename(template)
    copy_sparse(template, image)


def copy_sparse(source: Path, target: Path) -> None:
    """Copy what is written in a file and leave its holes holes."""
    with source.open("rb") as read, target.open("xb") as write:
        size = os.fstat(read.fileno()).st_size
        write.truncate(size)
        end = 0
        while end < size:
            try:
                start = os.lseek(read.fileno(), end, os.SEEK_DATA)
            except OSError:
                break  # ENXIO: nothing but a hole until the end
            end = os.lseek(read.fileno(), start, os.SEEK_HOLE)
            for at in range(start, end, COPY_BYTES):
                os.pwrite(write.fileno(), os.pread(read.fileno(), min(COPY_BYTES, end - at), at), at)


def mount_image(image: str, disk: str, *, uid: int, gid: int) -> None:
    """Mount an image at `disk` in this mount namespace; device and mount end with the namespace."""
    attach_image(image, disk)
    furnish(disk, uid=uid, gid=gid)


def attach_image(image: str, disk: str) -> None:
    """Mount an image that is furnished already."""
    linux.mount(_loop_device(image), disk, "ext4", linux.MS_NOSUID | linux.MS_NODEV, "discard")


def wait_until_free(image: str) -> None:
    """Come back when no device shows this image any more: whose mount went with its namespace goes a moment later."""
    wanted, deadline = os.path.realpath(image), time.monotonic() + FREE_SECONDS_MAX
    while any(_backing_file(path) == wanted for path in Path("/sys/block").glob("loop*/loop/backing_file")):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{image} is still in use")
        time.sleep(0.01)


def _backing_file(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""  # it went in this moment


def _loop_device(image: str) -> str:
    with open("/dev/loop-control") as control, open(image, "r+b", buffering=0) as file:
        for _ in range(LOOP_TRIES_MAX):
            number = fcntl.ioctl(control, LOOP_CTL_GET_FREE)
            device = f"/dev/loop{number}"
            config = LOOP_CONFIG.pack(
                file.fileno(), 0, 0, 0, 0, 0, 0, number, 0, 0, LO_FLAGS_AUTOCLEAR,
                os.fsencode(image)[-63:], b"", b"", 0, 0, *([0] * 8),
            )  # fmt: skip
            with open(device, "r+b", buffering=0) as loop:
                try:
                    fcntl.ioctl(loop, LOOP_CONFIGURE, config)
                except OSError:
                    continue  # EBUSY: somebody else was given the same free device
                # Left open until the process ends: the first close of an autoclear device without a mount clears it.
                os.dup(loop.fileno())
                return device
    raise OSError("no free loop device")


def remove_tree(folder: Path) -> None:
    """Remove a folder that nobody uses any more, whatever a runtime left in it: folders closed to their owner, folders
    in folders beyond any depth. Each folder found is moved to the top first, so that paths stay short."""
    try:
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        moved = itertools.count()
        waiting = ["."]
        while waiting:
            name = waiting.pop()
            current = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
            try:
                for entry in os.listdir(current):
                    if not stat.S_ISDIR(os.lstat(entry, dir_fd=current).st_mode):
                        os.unlink(entry, dir_fd=current)
                        continue
                    os.chmod(entry, 0o700, dir_fd=current)
                    new = f".removing-{next(moved)}-{secrets.token_hex(4)}"
                    os.rename(entry, new, src_dir_fd=current, dst_dir_fd=top)
                    waiting.append(new)
            finally:
                os.close(current)
            if name != ".":
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    os.rmdir(folder)


def used_bytes(disk: Path, image: Path) -> int:
    """The room taken on the machine's disk."""
    if image.exists():
        return image.stat().st_blocks * 512
    total = 0
    for folder, _folders, files, fd in os.fwalk(disk, follow_symlinks=False):
        del folder
        for name in files:
            try:
                total += os.stat(name, dir_fd=fd, follow_symlinks=False).st_blocks * 512
            except FileNotFoundError:
                continue
    return total
