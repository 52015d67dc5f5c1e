"""Sessions: which kernel a notebook is bound to, what ran in it, and which execution each cell shows.

Revision ID: 0005_sessions
Revises: 0004_runtimes
"""

import sqlalchemy as sa
from alembic import op

revision = "0005_sessions"
down_revision = "0004_runtimes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Executions are kept; a session row lives as long as its runtime."""
    op.create_table(
        "sessions",
        sa.Column("notebook_id", sa.String(22), primary_key=True),
        sa.Column("user_id", sa.String(22), nullable=False),
        sa.Column("runtime_id", sa.String(22), nullable=False),
        sa.Column("kernel_id", sa.String(22), nullable=False),
        sa.Column("epoch", sa.String(64), nullable=True),
        sa.Column("stored_seq", sa.BigInteger(), nullable=False),
        sa.Column("oom_kills", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "executions",
        sa.Column("id", sa.String(22), primary_key=True),
        sa.Column("notebook_id", sa.String(22), nullable=False),
        sa.Column("cell_id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(22), nullable=False),
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_hash", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("input", sa.Text(), nullable=True),
        sa.Column("saved", sa.Boolean(), nullable=False),
        sa.Column("outputs", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_executions_notebook_id_state", "executions", ["notebook_id", "state"])
    op.create_table(
        "cell_heads",
        sa.Column("notebook_id", sa.String(22), primary_key=True),
        sa.Column("cell_id", sa.String(64), primary_key=True),
        sa.Column("execution_id", sa.String(22), nullable=False),
    )
    op.create_table(
        "output_blobs",
        sa.Column("notebook_id", sa.String(22), primary_key=True),
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("mime", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Forget every execution; documents stay."""
    for table in ("output_blobs", "cell_heads", "executions", "sessions"):
        op.drop_table(table)
