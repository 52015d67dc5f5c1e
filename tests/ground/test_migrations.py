"""The tables that the migrations make are the tables that the stores speak of, and what is in older ones is kept."""

import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

import collegium
from collegium.ground.db import MIGRATIONS, is_sqlite, metadata, postgresql_engine, sqlite_url, sync_engine
from support.postgres import database_of_postgres

pytestmark = pytest.mark.anyio

REVISIONS = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database without a table."""
    if request.param == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield sqlite_url(Path(folder) / "collegium.db")
        return
    with database_of_postgres("template0") as url:
        yield url


async def on(url: str, work: Any, *words: Any) -> Any:
    """What `work` says of a connection; committed."""
    if is_sqlite(url):
        engine = sync_engine(url.replace("+aiosqlite", ""))
        with engine.begin() as connection:
            said = work(connection, *words)
        engine.dispose()
        return said
    lasting = postgresql_engine(url, connections_max=1)
    try:
        async with lasting.begin() as connection:
            return await connection.run_sync(work, *words)
    finally:
        await lasting.dispose()


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def fill(connection: Connection) -> dict[str, dict[str, Any]]:
    """One row in every table there is, as far as it has no row yet; the rows."""
    found = sa.MetaData()
    found.reflect(connection, only=lambda name, _: name in metadata.tables)
    rows = {}
    for table in found.sorted_tables:
        made = connection.execute(sa.select(table)).one_or_none()
        if made is not None:
            rows[table.name] = dict(made._mapping)
            continue
        row = {column.name: value_for(column) for column in table.columns if not is_made(column)}
        connection.execute(table.insert().values(row))
        rows[table.name] = row
    return rows


def is_made(column: sa.Column[Any]) -> bool:
    """Whether the database fills it in by itself."""
    return column.computed is not None or column.nullable or column.server_default is not None


def value_for(column: sa.Column[Any]) -> Any:
    match column.type:
        case sa.String():
            return "x"
        case sa.LargeBinary():
            return b"\0\xff"
        case sa.Boolean():
            return False
        case sa.Float():
            return 0.5
        case _:
            return 1


def kept(connection: Connection, rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What is in the tables now, of the columns that were filled."""
    found = sa.MetaData()
    found.reflect(connection, only=list(rows))
    return {
        name: {
            key: bytes(value) if isinstance(value, memoryview) else value
            for key, value in connection.execute(sa.select(found.tables[name])).one()._mapping.items()
            if key in row
        }
        for name, row in rows.items()
    }


def differences(connection: Connection) -> list[Any]:
    def of_stores(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        # What SQLite keeps of a full-text index looks like tables; PostgreSQL's are over expressions.
        return not (kind in ("table", "index") and str(name).startswith(("search_words", "search_texts_")))

    options = {"compare_type": True, "include_object": of_stores}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def test_a_migrated_database_has_exactly_the_tables_and_columns_of_the_stores(empty_url: str) -> None:
    for store in Path(collegium.__file__).parent.glob("*/*store.py"):
        import_module(f"collegium.{store.parent.name}.{store.stem}")
    await on(empty_url, upgrade, "head")

    assert await on(empty_url, differences) == []


@pytest.mark.sqlite_in_short
@pytest.mark.parametrize("revision", REVISIONS[:-1])
async def test_what_is_in_an_older_database_is_kept_by_every_upgrade(empty_url: str, revision: str) -> None:
    await on(empty_url, upgrade, revision)
    rows = await on(empty_url, fill)
    await on(empty_url, upgrade, "head")

    assert await on(empty_url, kept, rows) == rows
