"""The database: one transaction per use case, writers one after another, committed means on disk."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
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
WRITERS_LOCK, MIGRATIONS_LOCK = 0x434F4C01, 0x434F4C02
"""PostgreSQL's advisory locks that we use, by number."""
DISK_FULL = "53100"
"""PostgreSQL's word for it (SQLSTATE)."""


class Database:
    """Hands out transactions. Writers take turns, on PostgreSQL those of all servers; readers never wait for them.

    Who waits for a turn can be cancelled. A transaction that has begun runs to its end: drivers left half-way in one
    lose the connection, or wait for ever to close it. So a transaction waits for nothing but the database and the disk.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._quick_threads = anyio.CapacityLimiter(1)
        self._write_turns, self._read_turns = anyio.Semaphore(1), anyio.Semaphore(READERS_MAX)
        if is_sqlite(url):
            self._writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE", connections_max=1)
            self._reader = _sqlite_engine(url, begin="BEGIN", connections_max=READERS_MAX)
            self._quick: Engine | None = sync_engine(url.replace("+aiosqlite", ""), pool_reset_on_return=None)
        else:
            self._writer = postgresql_engine(url, connections_max=READERS_MAX + 2)
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._quick = None
        self._quick_turns = self._write_turns if self._quick is not None else anyio.Semaphore(1)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may change things; committed when the block ends, undone when it raises.

        Raises StorageFull if the disk had no room for it, Unavailable if too many others are before it.
        """
        async with _turn(self._write_turns):
            with _failure_named():
                async with self._writer.begin() as tx:
                    if self._quick is None:
                        await tx.execute(_TAKE_TURN, {"lock": WRITERS_LOCK})
                    yield tx

    async def write_in_one_go(self, work: Callable[[Connection], T]) -> T:
        """`write` for what must not cost much: all of `work` on a thread, where `write` changes threads per statement.

        On PostgreSQL it does not wait for the turns of others: `work` guards itself against them by what it writes.
        Raises as `write` does, and whatever `work` raises.
        """
        async with _turn(self._quick_turns):
            with _failure_named():
                if self._quick is not None:
                    return await anyio.to_thread.run_sync(_begun, self._quick, work, limiter=self._quick_threads)
                async with self._writer.begin() as tx:
                    return await tx.run_sync(work)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view of what is committed; nothing it does is kept. Raises Unavailable as `write` does."""
        async with _turn(self._read_turns):
            with _failure_named():
                async with self._reader.connect() as tx:
                    yield tx

    async def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        await anyio.to_thread.run_sync(migrate, self.url)

    async def close(self) -> None:
        """Let every connection go."""
        if self._quick is not None:
            await anyio.to_thread.run_sync(self._quick.dispose)
        await self._writer.dispose()
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
    """A migrated database, closed at the end.

    `url` is SQLAlchemy's: `sqlite+aiosqlite:///PATH` or `postgresql+asyncpg://USER@HOST/NAME`.
    """
    database = Database(url)
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file."""
    return f"sqlite+aiosqlite:///{path}"


def is_sqlite(url: str) -> bool:
    """Whether this is the address of a SQLite file."""
    return url.startswith("sqlite")


def migrate(url: str) -> None:
    """Bring the schema to the newest revision, from a thread of its own or a command."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    if is_sqlite(url):
        engine = sync_engine(url.replace("+aiosqlite", ""))
        with engine.connect() as connection:
            _upgrade(connection, config)
        engine.dispose()
    else:
        asyncio.run(_migrate_postgresql(url, config))


async def _migrate_postgresql(url: str, config: Config) -> None:
    engine = postgresql_engine(url, connections_max=1)
    async with engine.connect() as connection:
        # Several servers may start at once.
        await connection.execute(_TAKE_TURN, {"lock": MIGRATIONS_LOCK})
        await connection.run_sync(_upgrade, config)
    await engine.dispose()


def _upgrade(connection: Connection, config: Config) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


_TAKE_TURN = text("SELECT pg_advisory_xact_lock(:lock)")


def postgresql_engine(url: str, *, connections_max: int) -> AsyncEngine:
    """Connections on which a commit is on disk when it returns."""
    return create_async_engine(
        url,
        pool_size=connections_max,
        max_overflow=0,
        pool_timeout=30,
        connect_args={"timeout": 10, "server_settings": {"synchronous_commit": "on", "application_name": "collegium"}},
    )


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


class _failure_named:
    """Gives a full disk, and a database that cannot be reached, names that a person can act on."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OperationalError) and isinstance(error.orig, sqlite3.OperationalError):
            words = str(error.orig)
            if "disk is full" in words or "disk I/O error" in words:
                raise StorageFull(FULL) from error
        elif isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == DISK_FULL:
            raise StorageFull(FULL) from error
        elif isinstance(error, ConnectionError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise Unavailable("The database cannot be reached. Try again in a moment.") from error


FULL = "The server's disk is full. What is stored is safe; new work is refused until there is room."


def sync_engine(url: str, **options: Any) -> Engine:
    """A plain engine, for threads."""
    engine = create_engine(url, **options)
    if url.startswith("sqlite"):
        configure_sqlite(engine, begin="BEGIN IMMEDIATE")
    return engine
