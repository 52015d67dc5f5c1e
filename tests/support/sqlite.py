"""SQLite for tests, as `support.postgres` has it: migrated once and copied, and as mortal as the machine."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import make_url

from collegium.ground.db import configure_sqlite, is_sqlite, migrate, sqlite_url


@contextmanager
def quick_sqlite(folder: Path) -> Iterator[None]:
    """What this process opens meanwhile; servers in processes of their own do all they do at people's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collegium.ground.db.migrate", partial(_migrate, folder / "migrated.db"))
        patch.setattr("collegium.ground.db.configure_sqlite", _configure)
        yield


def _migrate(migrated: Path, url: str, revision: str = "head") -> None:
    """A file that is not there becomes a copy of a migrated one; `ground/test_migrations` takes every step."""
    if is_sqlite(url) and revision == "head":
        file = Path(make_url(url).database or "")
        if not migrated.exists():
            migrate(sqlite_url(migrated))
        # Where it cannot be made, migrating says so.
        with suppress(OSError):
            if not file.exists():
                shutil.copyfile(migrated, file)
    migrate(url, revision)


def _configure(engine: Any, *, begin: str) -> None:
    """Nothing is fsynced: what is committed survives this process's end all the same."""
    configure_sqlite(engine, begin=begin)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.close()
