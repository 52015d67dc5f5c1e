"""The tables that the migrations make are the tables that the stores speak of."""

from importlib import import_module
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import collegium
from collegium.ground.db import metadata, migrate, sqlite_url, sync_engine


def test_a_migrated_database_has_exactly_the_tables_and_columns_of_the_stores(tmp_path: Path) -> None:
    for store in Path(collegium.__file__).parent.glob("*/store.py"):
        import_module(f"collegium.{store.parent.name}.store")
    migrate(sqlite_url(tmp_path / "collegium.db"))
    engine = sync_engine(f"sqlite:///{tmp_path / 'collegium.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert differences == []
