"""Environments of notebooks: the kernel that was chosen, what was installed on top, the locks, and what is built.

Revision ID: 0007_environments
Revises: 0006_lending
"""

import sqlalchemy as sa
from alembic import op

revision = "0007_environments"
down_revision = "0006_lending"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A session knows its kernel's name; an execution, the environment it ran in."""
    with op.batch_alter_table("sessions") as table:
        table.add_column(sa.Column("kernel_name", sa.String(64), nullable=False, server_default="python3"))
        table.add_column(sa.Column("kernel_language", sa.String(64), nullable=False, server_default="python"))
        table.add_column(sa.Column("layer", sa.String(64), nullable=True))
    with op.batch_alter_table("executions") as table:
        table.add_column(sa.Column("environment", sa.String(64), nullable=True))
    op.create_table(
        "session_environments",
        sa.Column("notebook_id", sa.String(22), primary_key=True),
        sa.Column("environment", sa.String(64), primary_key=True),
        sa.Column("runtime_id", sa.String(22), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("layer", sa.String(64), nullable=True),
        sa.Column("on_top", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "environment_pins",
        sa.Column("notebook_id", sa.String(22), primary_key=True),
        sa.Column("lock", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.String(22), nullable=False),
        sa.Column("user_name", sa.String(200), nullable=False),
    )
    op.create_table(
        "environment_layers",
        sa.Column("layer", sa.String(64), primary_key=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("built_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Notebooks start with their runtime version alone."""
    for table in ("environment_layers", "environment_pins", "session_environments"):
        op.drop_table(table)
    with op.batch_alter_table("executions") as executions:
        executions.drop_column("environment")
    with op.batch_alter_table("sessions") as sessions:
        for name in ("kernel_name", "kernel_language", "layer"):
            sessions.drop_column(name)
