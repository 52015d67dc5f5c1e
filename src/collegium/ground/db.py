"""The database: one transaction per use case, writers one after another, committed means on disk."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from collegium.ground.errors import StorageFull, Unavailable

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every part's tables, declared in its store.py."""

T = TypeVar("T")

BUSY_TIMEOUT_MS = 10_000
READERS_MAX = 8
WAIT_SECONDS_MAX = 30.0
MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """Hands out transactions. On SQLite writers queue for one connection; readers never wait for them.

    Who waits for a turn can be cancelled. A transaction that has begun runs to its end: drivers left half-way in one
    lose the connection, or wait for ever to close it. So a transaction waits for nothing but the database and the disk.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._quick_threads = anyio.CapacityLimiter(1)
        self._write_turns, self._read_turns = anyio.Semaphore(1), anyio.Semaphore(READERS_MAX)
        if url.startswith("sqlite"):
            self._writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE", connections_max=1)
            self._reader = _sqlite_engine(url, begin="BEGIN", connections_max=READERS_MAX)
            self._quick: Engine | None = sync_engine(url.replace("+aiosqlite", ""), pool_reset_on_return=None)
        else:
            self._writer = self._reader = create_async_engine(url, pool_size=READERS_MAX, max_overflow=0)
            self._write_turns = self._read_turns
            self._quick = None

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may change things; committed when the block ends, undone when it raises.

        Raises StorageFull if the disk had no room for it, Unavailable if too many others are before it.
        """
        async with _turn(self._write_turns):
            with _full_disk_named():
                async with self._writer.begin() as tx:
                    yield tx

    async def write_in_one_go(self, work: Callable[[Connection], T]) -> T:
        """`write` for what must not cost much: all of `work` on a thread, where `write` changes threads per statement.

        Raises as `write` does, and whatever `work` raises.
        """
        async with _turn(self._write_turns):
            with _full_disk_named():
                if self._quick is not None:
                    return await anyio.to_thread.run_sync(_begun, self._quick, work, limiter=self._quick_threads)
                async with self._writer.begin() as tx:
                    return await tx.run_sync(work)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view of what is committed; nothing it does is kept. Raises Unavailable as `write` does."""
        async with _turn(self._read_turns), self._reader.connect() as tx:
            yield tx

    async def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        await anyio.to_thread.run_sync(migrate, self.url)

    async def close(self) -> None:
        """Let every connection go."""
        if self._quick is not None:
            await anyio.to_thread.run_sync(self._quick.dispose)
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()


def _begun(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as tx:
        return work(tx)


@asynccontextmanager
async def _turn(turns: anyio.Semaphore) -> AsyncIterator[None]:
    """Waits for a turn, and is not cancelled while it lasts."""
    with anyio.move_on_after(WAIT_SECONDS_MAX) as waiting:
        await turns.acquire()
    if waiting.cancelled_caught:
        raise Unavailable("The database is busy. Try again in a moment.")
    try:
        with anyio.CancelScope(shield=True):
            yield
    finally:
        turns.release()


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[Database]:
    """A migrated database, closed at the end. `url` is SQLAlchemy's: `sqlite+aiosqlite:///PATH`."""
    database = Database(url)
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


def migrate(url: str) -> None:
    """Bring the schema to the newest revision, from a thread of its own or a command."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url.replace("+aiosqlite", "").replace("+asyncpg", "")
    command.upgrade(config, "head")


def _sqlite_engine(url: str, *, begin: str, connections_max: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=connections_max,
        max_overflow=0,
        pool_timeout=30,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
    )
    # Terminating stops the driver's thread twice, and a task is left that waits for the second stop for ever.
    dialect = engine.sync_engine.dialect
    dialect.do_terminate = dialect.do_close  # type: ignore[method-assign]
    configure_sqlite(engine.sync_engine, begin=begin)
    return engine


def configure_sqlite(engine: Any, *, begin: str) -> None:
    """Write-ahead log, every commit fsynced, foreign keys kept, transactions begun by us and not by the driver."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "wal_autocheckpoint=4000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


class _full_disk_named:
    """Gives SQLite's "disk is full" the name a person can act on."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OperationalError) and isinstance(error.orig, sqlite3.OperationalError):
            text = str(error.orig)
            if "disk is full" in text or "disk I/O error" in text:
                raise StorageFull(
                    "The server's disk is full. What is stored is safe; new work is refused until there is room."
                ) from error


def sync_engine(url: str, **options: Any) -> Engine:
    """A plain engine, for threads."""
    engine = create_engine(url, **options)
    if url.startswith("sqlite"):
        configure_sqlite(engine, begin="BEGIN IMMEDIATE")
    return engine
