"""The database: one transaction per use case, writers one after another, committed means on disk."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio
import anyio.to_thread
from alembic import command
from alembic.config import Config
from sqlalchemy import Dialect, MetaData, Text, TypeDecorator, create_engine, event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from collegium.ground.db_failures import (
    NoConnection,
    commit_named,
    connecting,
    failure_named,
    is_gone,
    may_be_tried_again,
    named_at_start,
)
from collegium.ground.errors import CollegiumError, Unavailable
from collegium.ground.log import get_log

log = get_log("database")

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


class AnyText(TypeDecorator[str]):
    """Text from machines and files, as it is: PostgreSQL takes no NUL, and no driver takes half of a surrogate pair.

    NUL is kept there as two characters; a lone surrogate is lost everywhere, as in every file of UTF-8.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """As it is kept."""
        if value is None:
            return None
        value = value.encode("utf-8", "replace").decode()
        return value.replace(_ESCAPE, _ESCAPE + "e").replace("\0", _ESCAPE + "0") if is_escaped(dialect) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """As it was."""
        if value is None or not is_escaped(dialect):
            return value
        return value.replace(_ESCAPE + "0", "\0").replace(_ESCAPE + "e", _ESCAPE)


_ESCAPE = "\x1a"


def is_escaped(dialect: Dialect) -> bool:
    """Whether this database needs `AnyText` in another form."""
    return dialect.name == "postgresql"


BUSY_TIMEOUT_MS = 10_000
READERS_MAX = 8
GLANCES_MAX = 200
"""So many small questions are answered in one transaction."""
WAIT_SECONDS_MAX = 30.0
IDLE_TURN_MS_MAX = 5_000
"""A server that stops in the middle of its turn (a paused machine) loses it to the others after so long."""
MIGRATIONS = Path(__file__).parent / "migrations"
WRITERS_LOCK, MIGRATIONS_LOCK = 0x434F4C01, 0x434F4C02
"""PostgreSQL's advisory locks that we use, by number."""
TRIES_MAX = 3
"""What a restarted database or a colliding transaction undid before its commit is done again so often."""
ANSWER_SECONDS_MAX = 60
IDLE_SECONDS_MAX = 5.0
"""A connection that was not used for so long is asked whether it still is one: databases restart at night."""


class Database:
    """Hands out transactions. Writers take turns, on PostgreSQL those of all servers; readers never wait for them.

    Who waits for a turn can be cancelled. A transaction that has begun runs to its end: drivers left half-way in one
    lose the connection, or wait for ever to close it. So a transaction waits for nothing but the database and the disk.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.guard: Callable[[AsyncConnection], Awaitable[None]] | None = None
        """Asked first in every `write`, once its turn has come; refuses by raising."""
        self.until_in_charge: Callable[[], Awaitable[None]] = _at_once
        """Comes back when what only one of the server's processes should do is for this one to do."""
        self.is_first = True
        """Whether no other process used this installation when this one began."""
        self._quick_threads = anyio.CapacityLimiter(1)
        self._write_turns, self._read_turns = anyio.Semaphore(1), anyio.Semaphore(READERS_MAX)
        if is_sqlite(url):
            self._writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE", connections_max=1)
            self._reader = _sqlite_engine(url, begin="BEGIN", connections_max=READERS_MAX)
            plain = url.replace("+aiosqlite", "")
            self._quick: Engine | None = sync_engine(plain, pool_reset_on_return=None)
            self._glancer: Engine | None = sync_engine(plain, begin="BEGIN", pool_reset_on_return=None)
        else:
            self._writer = postgresql_engine(url, connections_max=2, idle_ms_max=IDLE_TURN_MS_MAX)
            reader = postgresql_engine(url, connections_max=READERS_MAX)
            self._reader = reader.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._quick = self._glancer = None
        self._glances = _Glances()
        self._glance_turns, self._glance_threads = anyio.Semaphore(1), anyio.CapacityLimiter(1)
        self._quick_turns = self._write_turns if self._quick is not None else anyio.Semaphore(1)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may change things; committed when the block ends, undone when it raises.

        Raises StorageFull if the disk had no room for it, Unavailable if too many others are before it or the
        database cannot be reached; with the code `outcome_unknown`, if it was lost during the commit.
        """
        async with _turn(self._write_turns):
            with failure_named():
                async with self._connected(self._writer, begin=None if self._quick else _take_turn) as tx:
                    if self.guard is not None:
                        await self.guard(tx)
                    yield tx
                    with commit_named():
                        await tx.commit()

    async def write_in_one_go(self, work: Callable[[Connection], T]) -> T:
        """`write` for what must not cost much: all of `work` on a thread, where `write` changes threads per statement.

        On PostgreSQL it does not wait for the turns of others: `work` guards itself against them by what it writes.
        Raises as `write` does, and whatever `work` raises.
        """
        async with _turn(self._quick_turns):
            with failure_named():
                if self._quick is not None:
                    return await anyio.to_thread.run_sync(_begun, self._quick, work, limiter=self._quick_threads)
                for number in range(1, TRIES_MAX):
                    try:
                        return await self._once(work)
                    except Exception as error:
                        if isinstance(error, NoConnection) or not may_be_tried_again(error):
                            raise
                        log.warning("transaction.repeated", number=number, error=type(error).__name__)
                        await anyio.sleep(number / 20)
                return await self._once(work)

    async def _once(self, work: Callable[[Connection], T]) -> T:
        async with self._connected(self._writer) as tx:
            done = await tx.run_sync(work)
            with commit_named():
                await tx.commit()
            return done

    @asynccontextmanager
    async def _connected(
        self, engine: AsyncEngine, begin: Callable[[AsyncConnection], Awaitable[object]] | None = None
    ) -> AsyncIterator[AsyncConnection]:
        """A connection on which the transaction has begun, if there is a way to begin it."""
        async with AsyncExitStack() as stack:
            for number in range(TRIES_MAX):
                try:
                    with connecting():
                        tx = await stack.enter_async_context(engine.connect())
                    if begin is not None:
                        await begin(tx)
                    break
                except Exception as error:
                    await stack.aclose()
                    # Nothing was done yet: a connection that the database closed meanwhile costs nothing but another.
                    stale = begin is not None and is_gone(error) and not isinstance(error, NoConnection)
                    if not stale or number == TRIES_MAX - 1:
                        raise
            yield tx

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view of what is committed; nothing it does is kept. Raises Unavailable as `write` does."""
        async with _turn(self._read_turns):
            with failure_named():
                async with self._connected(self._reader) as tx:
                    yield tx

    async def glance(self, look: Callable[[Connection], T]) -> T:
        """`read` for what is small and asked often, on a thread in one go.

        Those who ask while others are being answered share the next transaction: it begins after all of them asked, so
        that nobody is told what was true before. Raises as `read` does, and whatever `look` raises.
        """
        glances = self._glances
        if len(glances.looks) >= GLANCES_MAX:
            glances = self._glances = _Glances()
        number = len(glances.looks)
        glances.looks.append(look)
        async with _turn(self._glance_turns):
            if glances.seen is None:
                if self._glances is glances:
                    self._glances = _Glances()
                glances.seen = await self._looked(glances.looks)
        seen = glances.seen[number]
        if isinstance(seen, _Failed):
            raise seen.error.with_traceback(None)
        return cast("T", seen)

    async def _looked(self, looks: list[Callable[[Connection], Any]]) -> list[Any]:
        try:
            with failure_named():
                if self._glancer is not None:
                    return await anyio.to_thread.run_sync(
                        _begun, self._glancer, _each(looks), limiter=self._glance_threads
                    )
                async with self._connected(self._reader) as tx:
                    return await tx.run_sync(_each(looks))
        except Exception as error:  # everybody who asked is told
            return [_Failed(error)] * len(looks)

    async def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        try:
            await anyio.to_thread.run_sync(migrate, self.url)
        except Exception as error:
            told = named_at_start(error, self.url)
            if told is None:
                raise
            raise told from error

    async def close(self) -> None:
        """Let every connection go."""
        for engine in (self._quick, self._glancer):
            if engine is not None:
                await anyio.to_thread.run_sync(engine.dispose)
        await self._writer.dispose()
        await self._reader.dispose()


async def _at_once() -> None:
    return None


def _begun(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as tx:
        return work(tx)


class _Glances:
    """What is asked of one transaction, and, once that is over, what was seen."""

    def __init__(self) -> None:
        self.looks: list[Callable[[Connection], Any]] = []
        self.seen: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


def _each(looks: list[Callable[[Connection], Any]]) -> Callable[[Connection], list[Any]]:
    """One after another. What one raises is its own affair; a database that is away is everybody's."""

    def looked(tx: Connection) -> list[Any]:
        seen: list[Any] = []
        for look in looks:
            try:
                seen.append(look(tx))
            except CollegiumError as error:
                seen.append(_Failed(error))
        return seen

    return looked


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
    try:
        database = Database(url)
    except (ArgumentError, TypeError, ValueError) as error:
        raise named_at_start(error, url) or error from error
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


def migrate(url: str, revision: str = "head") -> None:
    """Bring the schema to a revision, the newest one, from a thread of its own or a command."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    if is_sqlite(url):
        engine = sync_engine(url.replace("+aiosqlite", ""))
        with engine.connect() as connection:
            _upgrade(connection, config, revision)
        engine.dispose()
    else:
        asyncio.run(_migrate_postgresql(url, config, revision))


async def _migrate_postgresql(url: str, config: Config, revision: str) -> None:
    engine = postgresql_engine(url, connections_max=1)
    try:
        async with AsyncExitStack() as stack:
            with connecting():
                connection = await stack.enter_async_context(engine.connect())
            # Several servers may start at once.
            await connection.execute(_TAKE_TURN, {"lock": MIGRATIONS_LOCK})
            await connection.run_sync(_upgrade, config, revision)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, config: Config, revision: str) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    connection.commit()


async def _take_turn(tx: AsyncConnection) -> None:
    await tx.execute(_TAKE_TURN, {"lock": WRITERS_LOCK})


_TAKE_TURN = text("SELECT pg_advisory_xact_lock(:lock)")


def postgresql_engine(url: str, *, connections_max: int, idle_ms_max: int = 0) -> AsyncEngine:
    """Connections on which a commit is on disk when it returns; a transaction left idle for too long is undone."""
    server_settings = {
        "synchronous_commit": "on",
        "application_name": "collegium",
        "idle_in_transaction_session_timeout": str(idle_ms_max),
        "lock_timeout": str(int(WAIT_SECONDS_MAX * 1000)),
    }
    engine = create_async_engine(
        url,
        pool_size=connections_max,
        max_overflow=0,
        pool_timeout=30,
        connect_args={"timeout": 10, "command_timeout": ANSWER_SECONDS_MAX, "server_settings": server_settings},
    )

    @event.listens_for(engine.sync_engine, "checkin")
    def rested(_connection: Any, record: Any) -> None:
        record.info["since"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def woken(connection: Any, record: Any, _proxy: Any) -> None:
        # Whoever begins on it would only be told so by its first statement, and reading is not begun again.
        if record.driver_connection.is_closed():
            raise DisconnectionError
        if time.monotonic() - record.info.get("since", math.inf) < IDLE_SECONDS_MAX:
            return
        try:
            engine.dialect.do_ping(connection)
        except (DBAPIError, engine.dialect.loaded_dbapi.Error, OSError) as error:
            raise DisconnectionError from error

    return engine


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


def sync_engine(url: str, *, begin: str = "BEGIN IMMEDIATE", **options: Any) -> Engine:
    """A plain engine, for threads."""
    engine = create_engine(url, **options)
    if url.startswith("sqlite"):
        configure_sqlite(engine, begin=begin)
    return engine
