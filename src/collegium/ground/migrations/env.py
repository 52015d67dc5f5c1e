"""Runs Alembic's revisions, each database in one transaction."""

from alembic import context

from collegium.ground.db import metadata, sync_engine


def run() -> None:
    """Apply what is missing."""
    url = context.config.attributes["url"]
    engine = sync_engine(url)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
    engine.dispose()


run()
