"""Sealing: what a runtime that has ended wrote over its environment becomes a layer for others to start with.

A process of its own, since as root it mounts the runtime's disk where nobody else sees it. It reads one line of JSON
(`disk`, `image`, `uid`, `gid`, `target`, `bytes_max`) and answers with one, `{}` or `{"error"}`. What it copies is a
stranger's: only folders, files, links and the marks of removal, no rights that a file gives, and all of it ours.
"""

import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from collegium_runtimed import linux
from collegium_runtimed.disk import attach_image, remove_tree, wait_until_free

STAGE = "/tmp"  # noqa: S108 - covered by a file system of our own namespace
OPAQUE = "user.overlay.opaque"
DEPTH_MAX = 100
ENTRIES_MAX = 2_000_000
COPY_BYTES = 1 << 20


class NotSealed(Exception):
    """It is too much, too deep, or not what an environment is made of."""


@dataclass
class Copy:
    """How much may still be copied."""

    bytes_left: int
    entries_left: int = ENTRIES_MAX

    def folder(self, source: int, target: int, depth: int = 0) -> None:
        """Copy what is in one open folder into another."""
        if depth > DEPTH_MAX:
            raise NotSealed("folders lie too deep")
        if _is_opaque(source):
            os.setxattr(target, OPAQUE, b"y")
        for name in os.listdir(source):
            self.entries_left -= 1
            if self.entries_left < 0:
                raise NotSealed("there are too many files")
            status = os.lstat(name, dir_fd=source)
            if stat.S_ISDIR(status.st_mode):
                os.mkdir(name, 0o755, dir_fd=target)
                self._into(name, source, target, depth)
            elif stat.S_ISREG(status.st_mode):
                self._file(name, source, target, status)
            elif stat.S_ISLNK(status.st_mode):
                os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
            elif stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
                os.mknod(name, stat.S_IFCHR, 0, dir_fd=target)

    def _into(self, name: str, source: int, target: int, depth: int) -> None:
        inner = [_open(name, os.O_RDONLY | os.O_DIRECTORY, folder) for folder in (source, target)]
        try:
            self.folder(inner[0], inner[1], depth + 1)
        finally:
            for descriptor in inner:
                os.close(descriptor)

    def _file(self, name: str, source: int, target: int, status: os.stat_result) -> None:
        mode = 0o755 if status.st_mode & 0o111 else 0o644
        read = _open(name, os.O_RDONLY, source)
        write = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=target)
        try:
            while count := os.sendfile(write, read, None, COPY_BYTES):
                self.bytes_left -= count
                if self.bytes_left < 0:
                    raise NotSealed("it is larger than the runtime's disk")
            os.utime(write, ns=(status.st_atime_ns, status.st_mtime_ns))
        finally:
            os.close(read)
            os.close(write)


def _open(name: str, mode: int, folder: int) -> int:
    return os.open(name, mode | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)


def _is_opaque(folder: int) -> bool:
    try:
        return os.getxattr(folder, OPAQUE) == b"y"
    except OSError:
        return False


def seal(disk: str, image: str | None, target: str, *, bytes_max: int) -> None:
    """Make the layer, in one step: complete or not there."""
    new = Path(target).with_name(f".{Path(target).name}.new")
    remove_tree(new)
    layers = os.open(new.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)  # the stage may hide its path
    if image is not None:
        linux.unshare(linux.CLONE_NEWNS)
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    os.umask(0o022)
    new.mkdir(mode=0o755)
    written = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    if image is not None:
        wait_until_free(image)
        attach_image(image, STAGE)
        disk = STAGE
    upper = os.open(f"{disk}/layer/upper", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    Copy(bytes_max).folder(upper, written)
    os.sync()
    os.close(upper)
    os.close(written)
    os.rename(new.name, Path(target).name, src_dir_fd=layers, dst_dir_fd=layers)
    os.close(layers)


def main() -> None:
    """Read what to seal, do it, answer."""
    asked = json.loads(sys.stdin.buffer.readline())
    try:
        seal(asked["disk"], asked["image"], asked["target"], bytes_max=asked["bytes_max"])
        print(json.dumps({}), flush=True)
    except (OSError, NotSealed) as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:1000]}), flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
