"""The data folder: where it is, whose it is, and that only one server uses it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from collegium.ground.errors import Unavailable

SERVER_UID = 61987
"""Whom the server becomes when root starts it on a folder of root's: a number no account has, from the range that
systemd keeps for services without one (61184 to 65519)."""


OF_SERVER = ("collegium.db", "collegium.db-wal", "collegium.db-shm", "blobs", "outputs", "checkpoints", "uploads")
"""What it keeps in the data folder."""

CLAIM_SECONDS_MAX = 5.0
"""Of a server that was killed, the processes end one after the other, and hold the folder until the last has."""
CLAIM_LOOK_SECONDS = 0.05


def default_data_folder() -> Path:
    """`/var/lib/collegium` for root, else `$XDG_DATA_HOME/collegium`."""
    if os.geteuid() == 0:
        return Path("/var/lib/collegium")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "collegium"


def owner_of(folder: Path) -> tuple[int, int]:
    """The user and group the server runs as: the folder's own, except root, who is replaced by SERVER_UID."""
    status = folder.stat()
    return (status.st_uid, status.st_gid) if status.st_uid != 0 else (SERVER_UID, SERVER_UID)


def prepare(folder: Path) -> tuple[int, int]:
    """Make the folder if it is missing, give it to the server's user, and say who that is."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    uid, gid = owner_of(folder)
    os.chown(folder, uid, gid)
    for name in OF_SERVER:
        path = folder / name
        if path.exists() and path.stat().st_uid != uid:
            _give(path, uid, gid)
    return uid, gid


def give_away(folder: Path, uid: int, gid: int) -> None:
    """Everything that the server keeps in the folder is its user's."""
    for name in OF_SERVER:
        if (folder / name).exists():
            _give(folder / name, uid, gid)


def _give(path: Path, uid: int, gid: int) -> None:
    for part in [path, *path.rglob("*")]:
        os.chown(part, uid, gid, follow_symlinks=False)


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold the folder for one server; raises Unavailable if another one has it and keeps it."""
    with (folder / "serve.lock").open("a+") as lock:
        deadline = time.monotonic() + CLAIM_SECONDS_MAX
        while not _locked(lock):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Another server is using {folder}. Stop it first, or name another folder with --data."
                )
            time.sleep(CLAIM_LOOK_SECONDS)
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
