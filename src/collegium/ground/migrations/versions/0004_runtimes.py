"""Runtimes: who was lent which machine, and what became of it.

Revision ID: 0004_runtimes
Revises: 0003_notebooks
"""

import sqlalchemy as sa
from alembic import op

revision = "0004_runtimes"
down_revision = "0003_notebooks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One row per runtime, kept after it stopped."""
    op.create_table(
        "runtimes",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("user_id", sa.String(22), nullable=False),
        sa.Column("engine", sa.String(32), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=False),
        sa.Column("cpus", sa.Float(), nullable=False),
        sa.Column("processes", sa.Integer(), nullable=False),
        sa.Column("disk_bytes", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_runtimes_user_id_state", "runtimes", ["user_id", "state"])
    op.create_index("ix_runtimes_state", "runtimes", ["state"])


def downgrade() -> None:
    """Forget every runtime."""
    op.drop_table("runtimes")
