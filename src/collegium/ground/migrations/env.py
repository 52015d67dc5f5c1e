"""Runs Alembic's revisions on the connection it is given, all in one transaction."""

from alembic import context

from collegium.ground.db import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
