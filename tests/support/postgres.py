"""A PostgreSQL server of the tests' own: in a folder that vanishes, on a socket in it, begun when first asked for."""

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from collegium.ground.db import migrate
from collegium.ground.ids import new_id
from support.cleaning import cleaned_up

ACCOUNT = "postgres"
"""Whom Debian's package makes; PostgreSQL does not run as root."""
START_SECONDS_MAX = 60
PAGE_BYTES, SMALL_DISK_BYTES = 8192, 64 << 20
EMPTY = "collegium_empty"
"""A migrated database, copied for every test."""


def why_no_postgres() -> str | None:
    """Why no server can be started here, or None."""
    if programs() is None:
        return "postgresql is not installed: apt-get install postgresql"
    return None


def programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


@cache
def postgres() -> "Postgres":
    """The one of this process."""
    server = Postgres()
    atexit.register(server.stop)
    return server


@contextmanager
def database_of_postgres(template: str = EMPTY) -> Iterator[str]:
    """The address of a database of its own, migrated or of this template; skips, with the reason, where none can be."""
    reason = why_no_postgres()
    if reason is not None:
        pytest.skip(reason)
    url = postgres().new(template)
    yield url
    postgres().drop(url)


class Postgres:
    """A running server. `durable`: what is committed survives the machine's end too, which tests do not need."""

    def __init__(self, *, durable: bool = False) -> None:
        self._fsync = "on" if durable else "off"
        self._programs = programs()
        assert self._programs is not None, "ask why_no_postgres first"
        self.folder = Path(tempfile.mkdtemp(prefix="clg-pg-", dir="/tmp"))
        self._watcher = cleaned_up(self.folder)
        self._whose: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam(ACCOUNT)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self._whose = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        # Whoever runs the tests reaches the socket, and nobody else the folder of the data below it.
        self.folder.chmod(0o755)
        self._run("initdb", "--no-sync", "--auth=trust", "--username=collegium", "--encoding=UTF8", "--locale=C.UTF-8",
                  "-D", str(self.folder / "data"))  # fmt: skip
        self._start()
        try:
            self.create(EMPTY, template="template0")
            migrate(self.url(EMPTY))
        except BaseException:
            self.stop()
            raise

    def _command(self, name: str, *words: str) -> list[str]:
        assert self._programs is not None
        return [str(self._programs / name), *words]

    def _run(self, name: str, *words: str) -> None:
        subprocess.run(self._command(name, *words), check=True, capture_output=True, cwd="/", **self._whose)

    def _start(self) -> None:
        words = ("listen_addresses=", "max_connections=400", "shared_buffers=32MB")
        settings = [f"fsync={self._fsync}", f"unix_socket_directories={self.folder}", *words]
        options = [word for setting in settings for word in ("-c", setting)]
        with (self.folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", str(self.folder / "data"), *options),
                stdout=log,
                stderr=log,
                cwd="/",
                **self._whose,
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            ready = subprocess.run(self._command("pg_isready", "-q", "-h", str(self.folder)), check=False, cwd="/")
            if ready.returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text())

    def url(self, name: str) -> str:
        """The address of a database of it."""
        return f"postgresql+asyncpg://collegium@/{name}?host={self.folder}"

    def new(self, template: str = EMPTY) -> str:
        """The address of a fresh database: a migrated one, or like another."""
        name = f"test_{new_id()}"
        self.create(name, template=template)
        return self.url(name)

    def create(self, name: str, *, template: str) -> None:
        """Make a database like another."""
        # Through the log of what is written, as is usual, costs twice as much where nothing is fsynced.
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")

    def drop(self, url: str) -> None:
        """Forget a database, whoever still uses it."""
        self._execute(f"DROP DATABASE IF EXISTS {name_in(url)} WITH (FORCE)")

    def leave_room(self, url: str, pages: int | None) -> None:
        """Put a database's tables on a small disk of its own with so many pages left (None: with plenty)."""
        disk = self.folder / "disk"
        filler = disk / "filler"
        if not disk.exists():
            self._mount(disk)
        filler.unlink(missing_ok=True)
        if pages is None:
            return
        self._execute("ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE small", name_in(url))
        self._execute("ALTER INDEX ALL IN TABLESPACE pg_default SET TABLESPACE small", name_in(url))
        room = os.statvfs(disk)
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - pages * PAGE_BYTES)

    def _mount(self, disk: Path) -> None:
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "small", str(disk)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            disk.rmdir()
            pytest.skip("only root can mount a small file system to fill")
        (disk / "tables").mkdir(mode=0o700)
        os.chown(disk / "tables", self._whose["user"], self._whose["group"])
        self._execute(f"CREATE TABLESPACE small LOCATION '{disk / 'tables'}'")

    def crash(self) -> None:
        """The server ends at once, as in a power cut of its own, and starts again."""
        self.end()
        self.begin()

    def end(self) -> None:
        """The server ends at once."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)

    def begin(self) -> None:
        """The server starts again."""
        self._start()

    def make_poor(self, name: str) -> None:
        """A user who may come in, and nothing else."""
        self._execute(f"DROP ROLE IF EXISTS {name}")
        self._execute(f"CREATE ROLE {name} LOGIN")

    def _execute(self, statement: str, database: str = "postgres") -> None:
        words = ["-h", str(self.folder), "-U", "collegium", "-d", database, "-q", "-c", statement]
        subprocess.run(self._command("psql", *words), check=True, capture_output=True, cwd="/")

    def stop(self) -> None:
        """End it, and remove what it kept."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        if (self.folder / "disk").exists():
            subprocess.run(["umount", str(self.folder / "disk")], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._watcher.kill()
        self._watcher.wait()


def name_in(url: str) -> str:
    """The name of the database at this address."""
    return url.partition("@/")[2].partition("?")[0]
